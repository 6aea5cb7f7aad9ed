"""`explain_row`: reads everything the lake knows of one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from fluvial import columns as c
from fluvial.config.model import Table, UseCase
from fluvial.errors import QueryError
from fluvial.io.duckdb_types import duckdb_type
from fluvial.io.query import open_lake, run_query
from fluvial.sql_text import literal, quote
from fluvial.verify.row_key import key_shape, parse_key
from fluvial.verify.story import Told, Version, tell_events, tell_versions


@dataclass(frozen=True)
class Story:
    """A row's life: its key as typed values, its events and its versions, both in order of sequence."""

    table: Table
    key: Mapping[str, Any]
    events: tuple[Told, ...]
    versions: tuple[Version, ...]


def explain_row(use_case: UseCase, lake: Path, table: Table, key: str) -> Story:
    """The story of the row with that key; raises QueryError where the log holds no event of it."""
    names = {"history": table.name, "log": f"{table.name}__log_all", "quarantine": f"{table.name}__quarantine"}
    connection = open_lake(use_case, lake, " ".join(names.values()))
    values, condition = _typed_key(connection, table, parse_key(key, table))
    is_told = f"({condition}) OR {c.OPERATION} IN {c.KEYLESS}"
    log = _rows(connection, names["log"], is_told)
    if all(row[c.OPERATION] in c.KEYLESS for row in log):
        raise _not_found(connection, table, values)
    versions = tell_versions(_rows(connection, names["history"], condition), table)
    quarantine = _rows(connection, names["quarantine"], condition)
    return Story(table, values, tell_events(log, versions, quarantine, table), versions)


def _typed_key(
    connection: duckdb.DuckDBPyConnection, table: Table, texts: Mapping[str, str]
) -> tuple[Mapping[str, Any], str]:
    """The key's values, and the condition that finds them."""
    types = {column.name: column.type for column in table.columns}
    casts = {name: f"TRY_CAST({literal(text)} AS {duckdb_type(types[name])})" for name, text in texts.items()}
    selected = ", ".join(f"{cast} AS {quote(name)}" for name, cast in casts.items())
    values = run_query(connection, f"SELECT {selected}").to_pylist()[0]
    for name, value in values.items():
        if value is None:
            raise QueryError(f"{table.name}: {name} is {types[name]}, not '{texts[name]}'", key_shape(table))
    return values, " AND ".join(f"{quote(name)} = {cast}" for name, cast in casts.items())


def _rows(connection: duckdb.DuckDBPyConnection, view: str, condition: str) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM {quote(view)} WHERE {condition}"  # noqa: S608 - parts are quoted
    rows: list[dict[str, Any]] = run_query(connection, sql).to_pylist()
    return rows


def _not_found(connection: duckdb.DuckDBPyConnection, table: Table, values: Mapping[str, Any]) -> QueryError:
    key = ", ".join(map(quote, table.primary_key))
    view = quote(f"{table.name}__log_all")
    sql = f"SELECT DISTINCT {key} FROM {view} WHERE {c.OPERATION} NOT IN {c.KEYLESS} ORDER BY ALL LIMIT 3"  # noqa: S608
    known = [",".join(str(value) for value in row.values()) for row in run_query(connection, sql).to_pylist()]
    hint = f"there is, for example, {' or '.join(known)}" if known else "no event of the table has been captured yet"
    shown = ", ".join(f"{name}={value}" for name, value in values.items())
    return QueryError(f"{table.name}: no event of {shown}", hint)
