"""The live view of a table: its history as it would be if everything in the log were settled now.

Only touched keys are derived again, out of the whole log; where nothing is unsettled, the view is the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from fluvial import columns as c
from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.errors import StorageError
from fluvial.io import lake_columns
from fluvial.io.delta_files import DeltaSnapshot, FileGroup, read_snapshot, rows_sql, settled_log
from fluvial.sql_text import quote
from fluvial.verify.rederive import rederivation_sql

_LIVE: Final = """
WITH settled_ AS NOT MATERIALIZED ({history}), log_all_ AS NOT MATERIALIZED ({log}),
  unsettled_ AS NOT MATERIALIZED ({unsettled}),
touched_ AS MATERIALIZED (SELECT DISTINCT {key} FROM {touching} WHERE {has_key}),
log_ AS MATERIALIZED (
  SELECT {read} FROM log_all_ SEMI JOIN touched_ USING ({key})
  UNION ALL SELECT {read} FROM log_all_ WHERE NOT {has_key}
),
known_ AS (SELECT * FROM settled_ SEMI JOIN touched_ USING ({key})),
arrived_ AS (
  SELECT {key}, {sequence}, max({ingested_at}) AS __arrived_at FROM log_ WHERE NOT {is_gap} GROUP BY ALL
),
derived_ AS ({derived})
SELECT {kept} FROM settled_ ANTI JOIN touched_ USING ({key})
UNION ALL
SELECT {shown} FROM derived_ AS d
LEFT JOIN known_ AS h USING ({key}, {sequence}) LEFT JOIN arrived_ USING ({key}, {sequence})
"""


@dataclass(frozen=True)
class LiveState:
    """One moment of a table: its history, its log, and that part of the log that the history doesn't hold."""

    history: DeltaSnapshot | None
    log: DeltaSnapshot | None
    unsettled: DeltaSnapshot | None
    unsettled_versions: int

    @property
    def settled(self) -> int:
        """The version of the log that the history holds; -1 where that can't be told."""
        return (self.log.version if self.log else -1) - self.unsettled_versions

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that the live view reads."""
        read = (self.history, self.log if self.unsettled else None)
        return tuple(path for snapshot in read if snapshot for path in snapshot.paths)


def read_live_state(places: TableLocations) -> LiveState:
    """Log and history as they stand now; the history first, so that the log lacks nothing of it."""
    history, log = read_snapshot(places.history), read_snapshot(places.log)
    if log is None:
        return LiveState(history, None, None, 0)
    settled = settled_log(history) if history else None
    first = settled.version + 1 if settled and settled.log_id == log.table_id else 0
    if first > log.version:
        return LiveState(history, log, None, 0)
    return LiveState(history, log, _added_since(log, first - 1), log.version - first + 1)


def create_live_view(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, places: TableLocations
) -> tuple[str, ...]:
    """Registers the view and returns the files that it reads."""
    state = read_live_state(places)
    connection.execute(f"CREATE VIEW {quote(name)} AS {live_sql(connection, table, state)}")
    return state.paths


def live_sql(connection: duckdb.DuckDBPyConnection, table: Table, state: LiveState) -> str:
    """A SELECT of the history's columns."""
    table = table.lake
    history = rows_sql(connection, state.history, lake_columns.history_columns(table))
    if state.unsettled is None or not state.unsettled.paths:
        return history
    log_columns = lake_columns.log_columns(table)
    unsettled = rows_sql(connection, state.unsettled, log_columns)
    names = _names(connection, history)
    has_key = f"{quote(table.primary_key[0])} IS NOT NULL"
    return _LIVE.format(
        history=history,
        log=rows_sql(connection, state.log, log_columns),
        unsettled=unsettled,
        touching="log_all_" if _touches_all(connection, unsettled, has_key) else "unsettled_",
        read=", ".join(map(quote, (*table.column_names, *c.DECIDING))),
        key=", ".join(map(quote, table.primary_key)),
        has_key=has_key,
        sequence=quote(c.SEQUENCE),
        ingested_at=quote(c.INGESTED_AT),
        is_gap=quote(c.IS_QUARANTINED),
        derived=rederivation_sql(table, "log_"),
        kept=", ".join(map(quote, names)),
        shown=", ".join(_shown(name, table) for name in names),
    )


def _added_since(log: DeltaSnapshot, settled: int) -> DeltaSnapshot:
    """The log without the files of its settled version; all of it where that version can't be read any more."""
    if settled < 0:
        return log
    try:
        known = read_snapshot(log.location, settled)
    except StorageError:
        return log
    old = frozenset(known.paths if known else ())
    groups = (
        FileGroup(group.partition, tuple(path for path in group.paths if path not in old)) for group in log.groups
    )
    return replace(log, groups=tuple(group for group in groups if group.paths))


def _names(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {sql}").fetchall()]


def _touches_all(connection: duckdb.DuckDBPyConnection, sql: str, has_key: str) -> bool:
    """Whether some row has no key, because it concerns every one there is, as a truncate does."""
    row = connection.execute(f"SELECT count(*) FROM ({sql}) WHERE NOT ({has_key})").fetchone()  # noqa: S608
    return bool(row and row[0])


def _shown(name: str, table: Table) -> str:
    """A column of a version that is derived again; what Fluvial doesn't derive stays as the history has it."""
    column = quote(name)
    derived: Mapping[str, str] = {
        c.UNRESOLVED: f"CASE WHEN len(d.{column}) > 0 THEN d.{column} END",
        c.INGESTED_AT: f"coalesce(h.{column}, __arrived_at)",
    }
    is_known = name in table.column_names or name in lake_columns.history_columns(table)
    return f"{derived.get(name, f'd.{column}' if is_known else f'h.{column}')} AS {column}"
