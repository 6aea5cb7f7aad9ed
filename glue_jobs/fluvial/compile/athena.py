"""tables.yaml to the Glue Data Catalog: statements for Athena (engine version 3), which reads Delta tables natively.

The names are those of `fluvial query`, so that the same SQL runs on both. A Delta table tells its columns itself, and
has to exist: a table without a row yet is registered by a later run. Athena runs one statement at a time.
Source: https://docs.aws.amazon.com/athena/latest/ug/delta-lake-tables-getting-started.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fluvial import columns as c
from fluvial.compile.stack_parameters import catalog_database
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase


@dataclass(frozen=True)
class CatalogEntry:
    """One statement, and what it makes; `location` is of the Delta table it needs, None for a database or a view.

    `columns` are those of the lake as the Delta table will tell them, without Fluvial's own, which begin with `_`.
    """

    name: str
    kind: str
    sql: str
    location: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def compile_catalog(use_case: UseCase) -> tuple[CatalogEntry, ...]:
    """Database, tables, views, in an order that can be run from top to bottom and again."""
    locations, database = Locations(use_case), catalog_database(use_case)
    tables = [entry for table in use_case.tables for entry in _tables(database, locations, table)]
    views = [entry for table in use_case.tables for entry in _views(database, table)]
    return (
        CatalogEntry(database, "database", f"CREATE DATABASE IF NOT EXISTS `{database}`"),
        *tables,
        *_side_tables(database, locations),
        *views,
    )


def _tables(database: str, locations: Locations, table: Table) -> Iterator[CatalogEntry]:
    places = locations.table(table)
    lake, source = _types(table.lake), _types(table)
    yield _external(database, table.name, places.history, lake)
    yield _external(database, f"{table.name}__log_all", places.log, lake)
    yield _external(database, f"{table.name}__quarantine", places.quarantine, source)


def _types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def _side_tables(database: str, locations: Locations) -> Iterator[CatalogEntry]:
    yield _external(database, "dead_letters", locations.dead_letters)
    yield _external(database, "quarantine_replays", locations.quarantine_replays)
    yield _external(database, "dq_metrics", locations.dq_metrics)
    yield _external(database, "batches", locations.batches)


def _views(database: str, table: Table) -> Iterator[CatalogEntry]:
    yield _view(database, f"{table.name}__current", table.name, f'"{c.IS_CURRENT}"')
    yield _view(database, f"{table.name}__log", f"{table.name}__log_all", f'NOT "{c.IS_QUARANTINED}"')


def _external(database: str, name: str, url: str, columns: Mapping[str, str] | None = None) -> CatalogEntry:
    location = url.replace("s3a://", "s3://", 1).rstrip("/") + "/"
    sql = (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{name.lower()}`\n"
        f"LOCATION '{location}'\n"
        "TBLPROPERTIES ('table_type' = 'DELTA')"
    )
    return CatalogEntry(name.lower(), "table", sql, location, columns or {})


def _view(database: str, name: str, source: str, condition: str) -> CatalogEntry:
    sql = (
        f'CREATE OR REPLACE VIEW "{database}"."{name.lower()}" AS\n'
        f'SELECT * FROM "{database}"."{source.lower()}" WHERE {condition}'
    )
    return CatalogEntry(name.lower(), "view", sql)
