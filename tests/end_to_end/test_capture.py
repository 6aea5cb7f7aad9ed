"""From SQL statements to Kafka records, on the real PostgreSQL, Debezium and Kafka."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from fluvial.config.load import load_use_case
from fluvial.config.model import Column, UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import SourceError
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.local.platform import run_step
from fluvial.plan.steps import Step, StepKind
from tests.end_to_end.conftest import Stack

pytestmark = pytest.mark.stack

SEEDED, BURST = 200, 400
DELAY_SECONDS = 60
OPERATIONS = {"inserted": "c", "updated": "u", "deleted": "d"}


@dataclass(frozen=True)
class Record:
    """One Kafka record, its JSON parsed; `value` is None for a tombstone."""

    key: Any
    value: Any
    headers: tuple[str, ...]

    @property
    def operation(self) -> str:
        return "tombstone" if self.value is None else self.value["op"]


@dataclass(frozen=True)
class Flow:
    """The use case after its capture: what was written, and what arrived for each table."""

    use_case: UseCase
    written: Mapping[str, Counter[str]]
    arrived: Mapping[str, list[Record]]


def perform(kind: StepKind, use_case: UseCase, home: Home, **inputs: str) -> dict[str, Any]:
    return run_step(Step(kind.value, kind, inputs=inputs), use_case, home)


def read_topics(use_case: UseCase, servers: str, expected: Mapping[str, int]) -> dict[str, list[Record]]:
    """Every record of every table's topic, once as many as expected are there or the delay is over."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False})
    deadline, arrived = time.monotonic() + DELAY_SECONDS, {table.name: [] for table in use_case.tables}
    names = {table.topic: table.name for table in use_case.tables}
    consumer.assign([TopicPartition(topic, 0, 0) for topic in names])
    while time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None:
            arrived[names[message.topic()]].append(_parsed(message))
        elif all(len(arrived[name]) >= expected[name] for name in expected):
            break
    consumer.close()
    return arrived


def _parsed(message: Any) -> Record:
    key, value = (None if raw is None else json.loads(raw) for raw in (message.key(), message.value()))
    return Record(key, value, tuple(name for name, _ in message.headers() or ()))


def written_by(summary: Mapping[str, Any], operations: Mapping[str, str]) -> dict[str, Counter[str]]:
    return {
        name: Counter({operation: counts[done] for done, operation in operations.items()})
        for name, counts in summary["tables"].items()
    }


@pytest.fixture(scope="module")
def home(stack: Stack) -> Home:
    """The state directory of the shared stack."""
    return stack.home


@pytest.fixture(scope="module")
def fleet(pytestconfig: pytest.Config) -> UseCase:
    """The shipped use case under another name, with topics and a database of its own."""
    path = pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml"
    shipped = load_use_case(path, local_placeholders())
    tables = tuple(table.model_copy(update={"topic": f"capture-test.{table.name}"}) for table in shipped.tables)
    return shipped.model_copy(update={"name": "capture-test", "tables": tables})


@pytest.fixture(scope="module")
def flow(home: Home, fleet: UseCase, pytestconfig: pytest.Config) -> Iterator[Flow]:
    """Seeded, captured, changed, truncated; taken down at the end."""
    config = str(pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml")
    servers = read_endpoints(home).bootstrap_servers
    perform(StepKind.SOURCE_TABLES, fleet, home)
    seeded = perform(StepKind.GENERATE, fleet, home, config=config, mode="seed", rows=str(SEEDED))
    perform(StepKind.TOPICS, fleet, home)
    perform(StepKind.CAPTURE, fleet, home)
    written = written_by(seeded, {"inserted": "r"})
    # TRUNCATE isn't MVCC: a snapshot that hasn't come to the table yet would find it empty.
    read_topics(fleet, servers, {name: counts.total() for name, counts in written.items()})
    burst = perform(StepKind.GENERATE, fleet, home, config=config, mode="burst", rows=str(BURST), seed="7")
    for name, counts in written_by(burst, OPERATIONS).items():
        written[name] += counts
        written[name]["tombstone"] = counts["d"]
    with source(home, fleet) as connection:
        connection.execute(
            "update vehicles set vehicle_id = 'VH-MOVED' where vehicle_id = (select min(vehicle_id) from vehicles)"
        )
        connection.execute("truncate alerts")
    written["vehicles"] += Counter("cd") + Counter(["tombstone"])
    written["alerts"] += Counter("t")
    expected = {name: counts.total() for name, counts in written.items()}
    yield Flow(fleet, written, read_topics(fleet, servers, expected))
    for kind in (StepKind.STOP_CAPTURE, StepKind.DROP_TOPICS, StepKind.DROP_SOURCE):
        perform(kind, fleet, home)


def source(home: Home, use_case: UseCase) -> psycopg.Connection[Any]:
    return psycopg.connect(read_endpoints(home).postgres_dsn(use_case.database_name), autocommit=True)


def test_every_committed_change_arrives_once_and_nothing_else_does(flow: Flow) -> None:
    arrived = {name: Counter(record.operation for record in records) for name, records in flow.arrived.items()}

    assert arrived == flow.written


def test_the_arrived_changes_folded_are_the_rows_of_the_source(flow: Flow, home: Home) -> None:
    rows: dict[str, Any] = {}
    for record in flow.arrived["deliveries"]:
        if record.operation in "rcu":
            rows[record.key["delivery_id"]] = record.value["after"]["status"]
        elif record.operation == "d":
            del rows[record.key["delivery_id"]]

    with source(home, flow.use_case) as connection:
        assert rows == dict(connection.execute("select delivery_id, status from deliveries").fetchall())


def test_decimals_arrive_as_exact_text_and_moments_in_iso_8601(flow: Flow) -> None:
    after = flow.arrived["vehicle_telemetry"][0].value["after"]

    assert isinstance(after["speed_kmh"], str)
    assert after["speed_kmh"].partition(".")[2].isdecimal()
    assert after["recorded_at"].endswith("Z")
    assert len(after["recorded_at"]) == len("2026-01-05T06:00:00.000000Z")


def test_an_update_carries_the_whole_row_before_it(flow: Flow) -> None:
    update = next(record for record in flow.arrived["deliveries"] if record.operation == "u")

    assert update.value["before"].keys() == update.value["after"].keys()
    assert update.value["before"]["customer_name"] is not None or update.value["after"]["customer_name"] is not None


def test_a_composite_key_arrives_whole(flow: Flow) -> None:
    assert flow.arrived["vehicle_telemetry"][0].key.keys() == {"vehicle_id", "recorded_at"}


def test_a_key_change_is_a_delete_and_an_insert_that_name_each_other(flow: Flow) -> None:
    moved = [record for record in flow.arrived["vehicles"] if "__debezium.newkey" in record.headers]
    arrived = [record for record in flow.arrived["vehicles"] if "__debezium.oldkey" in record.headers]

    assert [record.operation for record in moved] == ["d", "tombstone"]
    assert [(record.operation, record.key) for record in arrived] == [("c", {"vehicle_id": "VH-MOVED"})]
    assert moved[0].value["source"]["lsn"] == arrived[0].value["source"]["lsn"]


def test_a_truncate_arrives_without_a_key(flow: Flow) -> None:
    assert [record.key for record in flow.arrived["alerts"] if record.operation == "t"] == [None]


def test_running_every_step_again_changes_nothing(flow: Flow, home: Home) -> None:
    assert perform(StepKind.SOURCE_TABLES, flow.use_case, home)["created_database"] is False
    assert set(perform(StepKind.TOPICS, flow.use_case, home)["topics"].values()) == {"kept"}
    assert perform(StepKind.CAPTURE, flow.use_case, home)["change"] == "none"


def test_capture_of_a_table_that_is_missing_in_postgresql_says_which(flow: Flow, home: Home) -> None:
    more = flow.use_case.tables[0].model_copy(update={"name": "trailers", "topic": "capture-test.trailers"})
    larger = flow.use_case.model_copy(update={"tables": (*flow.use_case.tables, more)})

    with pytest.raises(SourceError, match=r"no published table public\.trailers"):
        perform(StepKind.CAPTURE, larger, home)


def test_a_table_that_exists_with_other_columns_is_refused_with_every_difference(flow: Flow, home: Home) -> None:
    columns = [
        column.model_copy(update={"type": "int"}) if column.name == "vin" else column
        for column in flow.use_case.tables[0].columns
    ]
    other = flow.use_case.tables[0].model_copy(update={"columns": tuple(columns)})
    changed = flow.use_case.model_copy(update={"tables": (other, *flow.use_case.tables[1:])})

    with pytest.raises(SourceError, match=r"public\.vehicles: column vin is text, expected integer"):
        perform(StepKind.SOURCE_TABLES, changed, home)


def test_a_column_that_postgresql_generates_is_refused(flow: Flow, home: Home) -> None:
    with source(home, flow.use_case) as connection:
        connection.execute("alter table drivers add initial text generated always as (left(first_name, 1)) stored")
    drivers = flow.use_case.table("drivers")
    more = drivers.model_copy(update={"columns": (*drivers.columns, Column(name="initial", type="string"))})
    changed = flow.use_case.model_copy(update={"tables": (more,)})

    with pytest.raises(SourceError, match=r"public\.drivers: column initial is generated, and no change event has its"):
        perform(StepKind.SOURCE_TABLES, changed, home)


def test_a_table_that_row_level_security_keeps_rows_of_is_refused_unless_the_role_may_see_them(
    flow: Flow, home: Home
) -> None:
    with source(home, flow.use_case) as connection:
        connection.execute("alter table vehicles enable row level security")
        try:
            with pytest.raises(SourceError, match="keeps rows of table 'vehicles' from role 'cdc'"):
                perform(StepKind.CAPTURE, flow.use_case, home)
            connection.execute("alter role cdc bypassrls")
            assert perform(StepKind.CAPTURE, flow.use_case, home)["change"] == "none"
        finally:
            connection.execute("alter role cdc nobypassrls")
            connection.execute("alter table vehicles disable row level security")


def test_generating_before_the_tables_exist_says_what_to_do(
    home: Home, fleet: UseCase, pytestconfig: pytest.Config
) -> None:
    config = str(pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml")
    nowhere = fleet.model_copy(update={"name": "nowhere"})

    with pytest.raises(SourceError, match="no database 'nowhere'"):
        perform(StepKind.GENERATE, nowhere, home, config=config, mode="burst")
