"""The use cases that are shipped, and lakes that hold some of their invented life, written without Spark."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.generate.changes import Generator
from fluvial.generate.draws import Increase
from fluvial.generate.load import load_scenario
from fluvial.io.lake import open_lake
from tests.unit.io.lakes import places_of, write_rows

CHECKOUT = Path(__file__).parents[3]
NAMES = sorted(path.parent.name for path in (CHECKOUT / "config").glob("*/tables.yaml"))
CHANGES = 1_500


def load_shipped(name: str) -> UseCase:
    return load_use_case(CHECKOUT / "config" / name / "tables.yaml", local_placeholders())


def queries_of(name: str) -> dict[str, str]:
    text = (CHECKOUT / "config" / name / "analytics_queries.sql").read_text()
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Life:
    """Histories and quarantines as the generator's statements would leave them, two hours ago and later."""

    def __init__(self, use_case: UseCase) -> None:
        self.use_case = use_case
        self.versions: dict[str, list[dict[str, Any]]] = {table.name: [] for table in use_case.tables}
        self.quarantined: dict[str, list[dict[str, Any]]] = {table.name: [] for table in use_case.tables}
        self._open: dict[tuple[str, Any], dict[str, Any]] = {}
        self._moment = datetime.now(UTC) - timedelta(hours=2)

    def live(self, seed: int) -> "Life":
        scenario = load_scenario(CHECKOUT / "config" / self.use_case.name / "scenario.yaml", self.use_case)
        generator = Generator(self.use_case, scenario, seed=seed)
        for transaction in [*generator.seed_rows(), *generator.changes(CHANGES)]:
            self._moment += timedelta(seconds=1)
            for statement in transaction:
                self._take(statement)
        return self

    def _take(self, statement: Any) -> None:
        values = {name: None if isinstance(value, Increase) else value for name, value in statement.values}
        if statement.violations:
            rule = self.use_case.table(statement.table).dq_rules[0].id
            self.quarantined[statement.table].append({"_failed_rules": [rule], "_quarantined_at": self._moment})
            return
        table = self.use_case.table(statement.table)
        key = statement.key or tuple(values[name] for name in table.primary_key)
        before = self._open.pop((statement.table, key), {})
        before |= {"_effective_to": self._moment, "_is_current": False} if before else {}
        if statement.operation != "DELETE":
            kept = {name: before.get(name) for name in table.column_names}
            self._begin(statement.table, key, {**kept, **values}, statement.operation)

    def _begin(self, table: str, key: Any, values: dict[str, Any], operation: str) -> None:
        sequence = f"{len(self.versions[table]):016X}"
        version = {**values, "_sequence": sequence, "_operation": operation, "_effective_from": self._moment}
        self._open[table, key] = version | {"_effective_to": None, "_is_current": True}
        self.versions[table].append(self._open[table, key])

    def write(self, lake: Path) -> None:
        empty = open_lake(self.use_case, lake)
        for table in self.versions:
            places = places_of(self.use_case, lake, table)
            for name, rows, place in (
                (table, self.versions[table], places.history),
                (f"{table}__quarantine", self.quarantined[table], places.quarantine),
            ):
                schema: pa.Schema = empty.sql(f'select * from "{name}" limit 0').to_arrow_table().schema
                write_rows(place, rows, schema)
