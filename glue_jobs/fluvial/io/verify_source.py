"""`verify --source`: the live source against the current view, row for row, as of one position in the source's log."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import SourceError
from fluvial.io import lake_columns
from fluvial.io.delta_files import read_snapshot
from fluvial.io.lake import connect
from fluvial.io.live_view import create_live_view
from fluvial.io.source_snapshot import SourceSnapshot, open_source_snapshot
from fluvial.io.verify import Difference, create_pinned_view
from fluvial.sql_text import literal, quote
from fluvial.verify import source_sql
from fluvial.verify.source_facts import SourceColumn
from fluvial.verify.source_texts import SourceTypes, captured_sql, columns_sql, told_table, untold_columns

_PAUSE_SECONDS: Final = 2.0
_MOST: Final = 1000
"""Differences to hand out; more of them say nothing new."""

# As PostgreSQL writes it. To find that out by looking fails where there are no rows, or takes a value's carriage return
# for the end of a line.
_CSV_OPTIONS: Final = (
    "auto_detect = false, new_line = '\\n', header = false, nullstr = '\\N', allow_quoted_nulls = false, "
    "delim = ',', quote = '\"', escape = '\"', "
    "max_line_size = 100000000, parallel = false"
)

Digest = dict[str, tuple[Any, ...]]
"""Range of keys -> (rows, sum of their hashes)."""


@dataclass(frozen=True)
class SourceVerdict:
    """What comparing one table with its source found, as of `position` in the source's log.

    `not_compared` are columns whose transforms no database can repeat.
    """

    table: str
    position: str
    rows: int
    ranges: int
    ranges_compared: int
    quarantined: int
    total: int
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the current view is what the source held."""
        return self.total == 0


@dataclass(frozen=True)
class _Pinned:
    """Rows of a source as of a position, for the ranges whose hashes differ from the lake's.

    `told` is the table without the columns that can't be compared for their type in the source.
    """

    told: Table
    low: str
    high: str
    rows: int
    ranges: int
    buckets: tuple[str, ...]
    path: Path


def verify_source(use_case: UseCase, lake: Path, table: Table, dsn: str, patience: float = 60.0) -> SourceVerdict:
    """Compares once with the source; where that differs, waits up to `patience` seconds for the lake to catch up."""
    if any(step.on_row for step in table.transforms):
        hint = "name the other tables: `fluvial verify --source <table> ...`"
        raise SourceError(f"{table.name}: no database can repeat its filter, so it can't be compared", hint)
    with tempfile.TemporaryDirectory(prefix="fluvial-verify-") as folder:
        pinned = _pin(use_case, lake, table, dsn, Path(folder) / "rows.csv")
        deadline = time.monotonic() + patience
        while True:
            verdict = _compare(use_case, lake, table, pinned)
            if verdict.is_same or time.monotonic() > deadline:
                return verdict
            time.sleep(_PAUSE_SECONDS)


def _pin(use_case: UseCase, lake: Path, table: Table, dsn: str, path: Path) -> _Pinned:
    schema = use_case.source_database.schema_name
    with open_source_snapshot(dsn) as source:
        types = _types(source, table, schema)
        told, captured = _told(table, types), captured_sql(table, schema, types)
        digest = {row[0]: tuple(row[1:]) for row in source.read(source_sql.source_digest_sql(told, captured))}
        known = _lake_digest(use_case, lake, table, told, source)
        buckets = tuple(sorted(bucket for bucket in digest | known if digest.get(bucket) != known.get(bucket)))
        if buckets:
            source.copy_to(source_sql.source_rows_sql(told, captured, buckets), path)
        rows = sum(int(entry[0]) for entry in digest.values())
        return _Pinned(told, source.low, source.high, rows, len(digest | known), buckets, path)


def _types(source: SourceSnapshot, table: Table, schema: str) -> SourceTypes:
    rows = source.read(columns_sql(table, schema))
    return {name: SourceColumn(kind, is_enum=is_enum == "true") for name, kind, is_enum in rows}


def _told(table: Table, types: SourceTypes) -> Table:
    untold = untold_columns(table, types)
    if keys := sorted(untold & {*table.primary_key}):
        kinds = ", ".join(f"{name} is {types[name].type}" for name in keys)
        raise SourceError(f"{table.name} can't be compared by its key: {kinds} in the source", "give it its own type")
    return told_table(table, untold)


def _lake_digest(use_case: UseCase, lake: Path, table: Table, told: Table, source: SourceSnapshot) -> Digest:
    with _lake(use_case, lake, table) as (connection, epoch):
        _create_states(connection, table, epoch)
        sql = source_sql.lake_digest_sql(told, "states")
        return {row[0]: tuple(row[1:]) for row in connection.execute(sql, {"high": source.high}).fetchall()}


def _compare(use_case: UseCase, lake: Path, table: Table, pinned: _Pinned) -> SourceVerdict:
    found: Sequence[Difference] = ()
    quarantined = 0
    if pinned.buckets:
        with _lake(use_case, lake, table) as (connection, epoch):
            quarantined, found = _differences(connection, table, epoch, pinned)
    return SourceVerdict(
        table=table.name,
        position=pinned.high,
        rows=pinned.rows,
        ranges=pinned.ranges,
        ranges_compared=len(pinned.buckets),
        quarantined=quarantined,
        total=len(found),
        differences=tuple(found[:_MOST]),
        not_compared=tuple(sorted({*table.lake.value_columns} - {*source_sql.compared_values(pinned.told)})),
    )


def _differences(
    connection: duckdb.DuckDBPyConnection, table: Table, epoch: str, pinned: _Pinned
) -> tuple[int, list[Difference]]:
    _create_states(connection, table, epoch)
    _create_source_rows(connection, pinned.told, pinned.path)
    skipped = source_sql.quarantined_keys_sql(table, "pinned_log")
    connection.execute(f"CREATE TEMP TABLE quarantined AS {skipped}", {"epoch": epoch, "high": pinned.high})
    sql = source_sql.source_differences_sql(pinned.told, "source_rows", "states", "quarantined")
    window = {"low": pinned.low, "high": pinned.high, "buckets": list(pinned.buckets)}
    found = [Difference(*row) for row in connection.execute(sql, window).fetchall()]
    return _count(connection, "quarantined"), found


@contextmanager
def _lake(use_case: UseCase, lake: Path, table: Table) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Log and history as they stand, and the newest epoch of the source's log in them."""
    places = Locations(use_case, lake).table(table)
    with connect() as connection:
        # Log rows that wait to be settled are in the lake, too.
        create_live_view(connection, "pinned_history", table, places)
        create_pinned_view(connection, "pinned_log", read_snapshot(places.log), lake_columns.log_columns(table))
        row = connection.execute(f"SELECT max(substr({c.SEQUENCE}, 1, 4)) FROM pinned_log").fetchone()  # noqa: S608
        yield connection, str(row[0]) if row and row[0] else "0000"


def _create_states(connection: duckdb.DuckDBPyConnection, table: Table, epoch: str) -> None:
    states = source_sql.states_sql(table, "pinned_history")
    connection.execute(f"CREATE TEMP TABLE states AS {states}", {"epoch": epoch})


def _create_source_rows(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in table.column_names)
    raw = f"read_csv({literal(str(path))}, columns = {{{columns}}}, {_CSV_OPTIONS})"
    connection.execute(f"CREATE TEMP TABLE source_rows AS {source_sql.typed_rows_sql(table, raw)}")


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {quote(relation)}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0
