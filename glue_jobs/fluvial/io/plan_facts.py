"""What a lake holds of each table, and which rows of a history another configuration would change; DuckDB, no JVM."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import Table, UseCase
from fluvial.io import lake_columns
from fluvial.io.delta_files import DeltaSnapshot, read_snapshot, scan_sql
from fluvial.io.lake import connect
from fluvial.io.parking import read_parked
from fluvial.io.state_files import LocalFiles
from fluvial.io.verify import create_pinned_view
from fluvial.plan.configuration import Document
from fluvial.plan.effects import RowEffect, TableFacts
from fluvial.plan.table_changes import counted_columns
from fluvial.sql_text import quote
from fluvial.verify.compare import WHOLE_ROW, differences_sql
from fluvial.verify.rederive import rederivation_sql


def measure_tables(
    before: UseCase | None, after: UseCase, applied: Document | None, wanted: Document, lake: Path
) -> dict[str, TableFacts]:
    """Facts of every table that is or was configured."""
    facts = {}
    for table in _tables(before, after):
        documents = [(document or {}).get("tables", {}).get(table.name) for document in (applied, wanted)]
        old, new = (_lake_columns(use_case, table.name) for use_case in (before, after))
        columns = counted_columns(*documents) | (old.keys() ^ new.keys())
        found = _measure(_places(before, table.name, lake), _places(after, table.name, lake), columns)
        waiting = _waiting(before or after, table.name, lake)
        facts[table.name] = replace(found, old_columns=old, new_columns=new, waiting=waiting)
    return facts


def _waiting(use_case: UseCase, table: str, lake: Path) -> int:
    parked = read_parked(LocalFiles(Locations(use_case, lake).parked), table)
    return parked.waiting if parked is not None and parked.is_parked else 0


def _lake_columns(use_case: UseCase | None, name: str) -> dict[str, str]:
    tables = {table.name: table for table in use_case.tables} if use_case else {}
    return {column: found.type for column, found in tables[name].lake_shape.items()} if name in tables else {}


def measure_rederivation(table: Table, places: TableLocations) -> RowEffect:
    """The rows in which the history differs from what the log gives under this configuration of the table."""
    log, history = read_snapshot(places.log), read_snapshot(places.history)
    connection = connect()
    create_pinned_view(connection, "log", log, lake_columns.log_columns(table))
    create_pinned_view(connection, "history", history, lake_columns.history_columns(table))
    connection.execute(f"CREATE TEMP TABLE derived AS {rederivation_sql(table, 'log')}")
    inserted, deleted, updated, keys = _counted(connection, differences_sql(table, "derived", "history"))
    return RowEffect(inserted, deleted, updated, keys, _bytes(history) if keys else 0)


def _counted(connection: duckdb.DuckDBPyConnection, differences: str) -> tuple[int, int, int, int]:
    sql = f"""
    WITH cells(key, sequence, name, expected, found) AS ({differences}), rows AS (
      SELECT key, bool_or(name = '{WHOLE_ROW}' AND found IS NULL) AS is_new,
        bool_or(name = '{WHOLE_ROW}' AND expected IS NULL) AS is_gone
      FROM cells GROUP BY key, sequence
    )
    SELECT count(*) FILTER (is_new), count(*) FILTER (is_gone), count(*) FILTER (NOT is_new AND NOT is_gone),
      count(DISTINCT key) FROM rows
    """  # noqa: S608 - parts are quoted
    row = connection.execute(sql).fetchone() or (0, 0, 0, 0)
    return row[0], row[1], row[2], row[3]


def _tables(before: UseCase | None, after: UseCase) -> list[Table]:
    known = {table.name: table for table in (*(before.tables if before else ()), *after.tables)}
    return list(known.values())


def _places(use_case: UseCase | None, name: str, lake: Path) -> TableLocations | None:
    tables = {table.name: table for table in use_case.tables} if use_case else {}
    return Locations(use_case, lake).table(tables[name]) if use_case and name in tables else None


def _measure(old: TableLocations | None, new: TableLocations | None, columns: frozenset[str]) -> TableFacts:
    places = new or old
    if places is None:
        return TableFacts()
    moved = old is not None and old.log != places.log
    if moved and old is not None and read_snapshot(places.log) is None:
        places = old  # what counts is where the data still lies
    connection = connect()
    log, history = read_snapshot(places.log), read_snapshot(places.history)
    return TableFacts(
        log_rows=_rows(connection, log),
        versions=_rows(connection, history),
        bytes=_bytes(history),
        quarantined=_rows(connection, read_snapshot(places.quarantine)),
        left_behind=_rows(connection, read_snapshot(old.log)) if moved and old is not None else 0,
        values=_values(connection, log, columns),
    )


def _rows(connection: duckdb.DuckDBPyConnection, snapshot: DeltaSnapshot | None) -> int:
    if snapshot is None or not snapshot.paths:
        return 0
    row = connection.execute(f"SELECT count(*) FROM ({scan_sql(connection, snapshot)})").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _values(
    connection: duckdb.DuckDBPyConnection, log: DeltaSnapshot | None, columns: frozenset[str]
) -> Mapping[str, int]:
    known = sorted(columns & set(log.columns)) if log is not None and log.paths else []
    if log is None or not known:
        return {}
    counts = ", ".join(f"count({quote(name)})" for name in known)
    row = connection.execute(f"SELECT {counts} FROM ({scan_sql(connection, log)})").fetchone()  # noqa: S608
    return dict(zip(known, row or (), strict=True))


def _bytes(snapshot: DeltaSnapshot | None) -> int:
    return sum(Path(path).stat().st_size for path in snapshot.paths) if snapshot else 0
