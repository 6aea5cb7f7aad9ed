"""The lake of one use case as DuckDB views: only the tables that a query names are opened."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io import lake_columns
from fluvial.io.delta_files import DeltaSnapshot, empty_sql, read_snapshot, scan_sql
from fluvial.io.live_view import create_live_view
from fluvial.sql_text import literal, quote

_EVENTS: Final = f"NOT {quote(c.IS_QUARANTINED)} AND {quote(c.OPERATION)} IS DISTINCT FROM '{c.SNAPSHOT}'"


@dataclass(frozen=True)
class Relation:
    """A view of the lake: where its rows lie, its columns while there are none, and which rows it shows.

    `live` is the table whose unsettled log rows are shown in it, too.
    """

    name: str
    location: str
    columns: Mapping[str, str]
    condition: str = "true"
    live: Table | None = None


def lake_relations(use_case: UseCase, lake: Path) -> tuple[Relation, ...]:
    """Every view that a query may name, tables first."""
    locations = Locations(use_case, lake)
    of_tables = (relation for table in use_case.tables for relation in _table_relations(locations, table))
    return (
        *of_tables,
        Relation("dead_letters", locations.dead_letters, lake_columns.DEAD_LETTERS),
        Relation("quarantine_replays", locations.quarantine_replays, lake_columns.QUARANTINE_REPLAYS),
        Relation("dq_metrics", locations.dq_metrics, lake_columns.DQ_METRICS),
        Relation("batches", locations.batches, lake_columns.BATCHES),
    )


def open_lake(use_case: UseCase, lake: Path, sql: str | None = None) -> duckdb.DuckDBPyConnection:
    """A locked-down connection with the lake's views; given `sql`, tables it can't name stay empty and unopened."""
    connection = connect()
    words = None if sql is None else frozenset(re.findall(r"\w+", sql.lower()))
    opened, locations = list[str](), Locations(use_case, lake)
    for relation in lake_relations(use_case, lake):
        is_named = words is None or relation.name.lower() in words
        if relation.live is not None and is_named:
            opened += create_live_view(connection, relation.name, relation.live, locations.table(relation.live))
            continue
        snapshot = read_snapshot(relation.location) if is_named else None
        opened += snapshot.paths if snapshot else ()
        create_view(connection, relation, snapshot)
    _lock(connection, opened)
    return connection


def connect() -> duckdb.DuckDBPyConnection:
    """An empty in-memory database whose clock and text are UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
    # A table name in SQL must never find a variable of this process.
    connection.execute("SET python_enable_replacements = false")
    # Large sorts spill there, and not into the working directory.
    connection.execute(f"SET temp_directory = {literal(tempfile.gettempdir())}")
    return connection


def create_view(connection: duckdb.DuckDBPyConnection, relation: Relation, snapshot: DeltaSnapshot | None) -> None:
    """Registers the relation over one version of its table, or as an empty view while there is none."""
    rows = scan_sql(connection, snapshot) if snapshot else empty_sql(relation.columns)
    connection.execute(
        f"CREATE VIEW {quote(relation.name)} AS SELECT * FROM ({rows}) WHERE {relation.condition}"  # noqa: S608
    )


def _table_relations(locations: Locations, table: Table) -> tuple[Relation, ...]:
    places = locations.table(table)
    history, log = lake_columns.history_columns(table), lake_columns.log_columns(table)
    return (
        Relation(table.name, places.history, history),
        Relation(f"{table.name}__current", places.history, history, quote(c.IS_CURRENT)),
        Relation(f"{table.name}__live", places.history, history, live=table),
        Relation(f"{table.name}__log", places.log, log, _EVENTS),
        Relation(f"{table.name}__log_all", places.log, log),
        Relation(f"{table.name}__quarantine", places.quarantine, lake_columns.quarantine_columns(table)),
    )


def _lock(connection: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    # Views keep reading the data files they were built on, and no other file.
    connection.execute(f"SET allowed_paths = [{', '.join(map(literal, paths))}]")
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")
