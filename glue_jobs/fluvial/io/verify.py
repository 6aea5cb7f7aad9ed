"""`verify`: a table's history against its re-derivation from the log, both pinned to one version."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import StorageError
from fluvial.io import lake_columns
from fluvial.io.delta_files import DeltaSnapshot, read_snapshot, rows_sql
from fluvial.io.lake import connect
from fluvial.io.live_view import LiveState, live_sql, read_live_state
from fluvial.verify.compare import accounting_sql, conflicts_sql, differences_sql, invariants_sql
from fluvial.verify.rederive import rederivation_sql

_LOG: Final = "pinned_log"
_HISTORY: Final = "pinned_history"
_DERIVED: Final = "derived"
_LIVE: Final = "__live"


@dataclass(frozen=True)
class Difference:
    """One column of one version that isn't what the log says; `*` stands for the whole version."""

    key: str
    sequence: str
    column: str
    expected: str | None
    found: str | None


@dataclass(frozen=True)
class Verdict:
    """What verifying one table found; `differences` may be cut short, `total` never is."""

    table: str
    versions: int
    log_rows: int
    log_version: int
    unsettled_log_versions: int
    sequence_conflicts: int
    total: int
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether the history is what the log says."""
        return self.total == 0


def verify_table(use_case: UseCase, lake: Path, table: Table, limit: int = 20) -> Verdict:
    """Re-derives the history of `table` and lists up to `limit` differences; raises StorageError if it can't."""
    locations = Locations(use_case, lake)
    places = locations.table(table)
    state = read_live_state(places)
    if state.history is not None and state.log is None:
        raise StorageError(f"{table.name}: a history without a log at {places.log}", "restore the log from the topics")
    verdict = _verify_pinned(table, state.log, state.history, limit)
    is_told = state.history is None or state.settled >= 0
    if state.log is not None and state.unsettled_versions and is_told and not verdict.is_same:
        verdict = _verify_unsettled(table, state, state.log, limit)
    return _with_accounting(verdict, locations.batches, limit)


def _verify_unsettled(table: Table, state: LiveState, log: DeltaSnapshot, limit: int) -> Verdict:
    """The history against what it has settled, and the live view against the whole log."""
    known = read_snapshot(log.location, state.settled) if state.settled >= 0 else None
    verdict = _verify_pinned(table, known, state.history, limit)
    live = _live_differences(table, state, limit)
    return replace(
        verdict,
        log_version=log.version,
        unsettled_log_versions=state.unsettled_versions,
        total=verdict.total + live[0],
        differences=(*verdict.differences, *live[1])[:limit],
    )


def _live_differences(table: Table, state: LiveState, limit: int) -> tuple[int, tuple[Difference, ...]]:
    connection = connect()
    create_pinned_view(connection, _LOG, state.log, lake_columns.log_columns(table))
    connection.execute(f"CREATE VIEW {_LIVE} AS {live_sql(connection, table, state)}")
    connection.execute(f"CREATE TEMP TABLE {_DERIVED} AS {rederivation_sql(table, _LOG)}")
    total, found = _found(connection, differences_sql(table, _DERIVED, _LIVE), limit)
    return total, tuple(replace(difference, column=f"{_LIVE}.{difference.column}") for difference in found)


def _verify_pinned(table: Table, log: DeltaSnapshot | None, history: DeltaSnapshot | None, limit: int) -> Verdict:
    connection = connect()
    create_pinned_view(connection, _LOG, log, lake_columns.log_columns(table))
    create_pinned_view(connection, _HISTORY, history, lake_columns.history_columns(table))
    connection.execute(f"CREATE TEMP TABLE {_DERIVED} AS {rederivation_sql(table, _LOG)}")
    found = _found(connection, differences_sql(table, _DERIVED, _HISTORY), limit)
    broken = _found(connection, invariants_sql(table, _LOG, _HISTORY), limit)
    return Verdict(
        table=table.name,
        versions=_count(connection, _HISTORY),
        log_rows=_count(connection, _LOG),
        log_version=-1 if log is None else log.version,
        unsettled_log_versions=0,
        sequence_conflicts=_number(connection, conflicts_sql(table, _LOG)),
        total=found[0] + broken[0],
        differences=(*found[1], *broken[1])[:limit],
    )


def _with_accounting(verdict: Verdict, location: str, limit: int) -> Verdict:
    connection = connect()
    create_pinned_view(connection, "accounts", read_snapshot(location), dict(lake_columns.BATCHES))
    rows = connection.execute(accounting_sql("accounts"), [verdict.table]).fetchall()
    wrong = [Difference(row[0], "", "consumed", str(row[2]), str(row[1])) for row in rows]
    return replace(
        verdict, total=verdict.total + len(wrong), differences=(*verdict.differences, *wrong)[: max(limit, 1)]
    )


def create_pinned_view(
    connection: duckdb.DuckDBPyConnection, name: str, snapshot: DeltaSnapshot | None, columns: dict[str, str]
) -> None:
    """A view with at least the configured columns, those that the files lack as NULL."""
    connection.execute(f"CREATE VIEW {name} AS {rows_sql(connection, snapshot, columns)}")


def _found(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> tuple[int, tuple[Difference, ...]]:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {sql}")
    rows = connection.execute("SELECT * FROM found LIMIT $1", [limit]).fetchall()
    return _count(connection, "found"), tuple(Difference(*row) for row in rows)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return _number(connection, f"SELECT count(*) FROM {relation}")  # noqa: S608 - a name of this module


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
