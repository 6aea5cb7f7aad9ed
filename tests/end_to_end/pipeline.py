"""A shipped use case on the real stack, deployed by its plan and without Airflow."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io.query import open_lake, run_query
from fluvial.local.home import Home
from fluvial.local.platform import run_plan
from fluvial.local.run_catch_up import await_everything, count_arrived
from fluvial.plan.steps import Plan, plan_deployment, plan_generation, plan_teardown
from tests.end_to_end.conftest import Stack

PATIENCE_SECONDS = 120
OPERATIONS = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}

Versions = set[tuple[int, int | None, str]]
"""(LSN that opened it, LSN that closed it or None, operation) of each version of a table."""


@dataclass
class Pipeline:
    """A deployed use case; `written` counts what was committed into its source since."""

    stack: Stack
    use_case: UseCase
    config: str
    written: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def home(self) -> Home:
        return self.stack.home

    @property
    def tables(self) -> list[str]:
        return [table.name for table in self.use_case.tables]

    def run(self, plan: Plan) -> dict[str, dict[str, Any]]:
        return run_plan(tuple(step.with_inputs({"config": self.config}) for step in plan), self.use_case, self.home)

    def generate(self, **inputs: str) -> None:
        plan = tuple(step.with_inputs(inputs) for step in plan_generation(self.use_case))
        for table, counts in self.run(plan)["generate"]["tables"].items():
            self.written.update({(table, operation): counts[done] for done, operation in OPERATIONS.items()})

    def written_to(self, table: str) -> int:
        """Changes committed into one table."""
        return sum(count for (name, _), count in self.written.items() if name == table)

    def catch_up(self, dead_letters: int = 0) -> None:
        """Until every committed change and that many dead letters can be queried."""
        expected = self.written.total() + dead_letters
        endpoints = self.stack.endpoints
        late = await_everything(
            self.use_case, self.home, endpoints, expected, PATIENCE_SECONDS, lambda _label, _done, _total: None
        )
        assert late == ""
        assert count_arrived(self.use_case, self.home) == expected

    def query(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = run_query(open_lake(self.use_case, self.home.lake, sql), sql).to_pylist()
        return rows

    def count(self, relation: str, condition: str = "true") -> int:
        return int(self.query(f"select count(*) as n from {relation} where {condition}")[0]["n"])

    def produce(self, table: str, values: Sequence[bytes]) -> None:
        producer = Producer({"bootstrap.servers": self.stack.endpoints.bootstrap_servers})
        for value in values:
            producer.produce(self.use_case.table(table).topic, value=value, key=b'{"id": 1}')
        assert producer.flush(30) == 0

    def records(self) -> dict[str, list[Any]]:
        """Every Kafka value of every table, parsed, in order; None for a tombstone."""
        servers = self.stack.endpoints.bootstrap_servers
        consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.partition.eof": True})
        try:
            return {table.name: _read(consumer, table.topic) for table in self.use_case.tables}
        finally:
            consumer.close()

    def logged(self, condition: str = "true") -> Counter[tuple[str, str]]:
        """Events in the logs by table and operation."""
        counts: Counter[tuple[str, str]] = Counter()
        for table in self.tables:
            sql = f"select _operation as o, count(*) as n from {table}__log_all where {condition} group by 1"
            counts.update({(table, row["o"]): row["n"] for row in self.query(sql)})
        return counts

    def versions(self, table: str) -> Versions:
        rows = self.query(f"select _sequence, _end_sequence, _operation from {table}")
        return {(lsn(row["_sequence"]), _end(row["_end_sequence"]), row["_operation"]) for row in rows}


@contextmanager
def deployed(stack: Stack, folder: Path, name: str, tables: str) -> Iterator[Pipeline]:
    """A use case of that tables.yaml; taken down in the end."""
    config = folder / name / "tables.yaml"
    config.parent.mkdir()
    config.write_text(tables)
    use_case = load_use_case(config, local_placeholders())
    pipeline = Pipeline(stack, use_case, str(config))
    try:
        pipeline.run(plan_deployment(use_case))
        yield pipeline
    finally:
        pipeline.run(plan_teardown(use_case))


def deploy_config(root: Path, name: str = "vehicle-telemetry") -> tuple[UseCase, str]:
    """A shipped use case and the path of its tables.yaml."""
    path = root / "config" / name / "tables.yaml"
    return load_use_case(path, local_placeholders()), str(path)


def lsn(sequence: str) -> int:
    """The position in PostgreSQL's log that a sequence stands for."""
    return int(sequence.rpartition(".")[2], 16)


def replayed_versions(events: Sequence[Any], held: set[int]) -> Versions:
    """The plainest possible replay of Debezium events: each opens a version of its key and closes the one before."""
    names = {"c": "INSERT", "u": "UPDATE"}
    opened: dict[str, Mapping[str, Any]] = {}
    versions: Versions = set()
    for event in events:
        if event is None or event["source"]["lsn"] in held:
            continue
        position, key = event["source"]["lsn"], event["key"]
        if before := opened.pop(key, None):
            versions.add((before["source"]["lsn"], position, names[before["op"]]))
        if event["op"] in names:
            opened[key] = event
    return versions | {(event["source"]["lsn"], None, names[event["op"]]) for event in opened.values()}


def _read(consumer: Consumer, topic: str) -> list[Any]:
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[Any] = []
    while (message := consumer.poll(30)) is not None and message.error() is None:
        value = message.value()
        found.append(None if value is None else json.loads(value) | {"key": message.key()})
    assert message is not None, f"{topic} doesn't end"
    return found


def _end(sequence: str | None) -> int | None:
    return None if sequence is None else lsn(sequence)
