"""SQL over the lake: one read-only statement, its result as Arrow, its errors as QueryError."""

import difflib
import re
from typing import Final

import duckdb
import pyarrow as pa

from fluvial.errors import QueryError
from fluvial.io.lake import open_lake

__all__ = ["open_lake", "run_query"]

_READING: Final = frozenset({"SELECT", "EXPLAIN", "MULTI"})
"""DuckDB's statement types that only read; MULTI is what PIVOT expands to."""
_EXPLAIN: Final = re.compile(r"\s*explain(\s+analyze\b|\s*\([^)]*\))?", re.IGNORECASE)
_MISSING_TABLE: Final = re.compile(r"Table with name (.+?) does not exist")
_CLOSE_ENOUGH: Final = 0.6


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The result of one reading statement; raises QueryError with the engine's own words."""
    try:
        _require_reading(connection, sql)
        return connection.sql(sql).to_arrow_table()
    except duckdb.CatalogException as error:
        raise _missing_table(connection, error) from error
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from error


def _require_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"expected one SQL statement, found {len(statements)}", "run the statements one by one")
    kind = statements[0].type.name
    if kind not in _READING:
        raise QueryError(f"{kind} isn't allowed: queries only read", "use SELECT, DESCRIBE, SUMMARIZE or EXPLAIN")
    if kind == "EXPLAIN":
        # EXPLAIN ANALYZE runs what it explains.
        _require_reading(connection, _EXPLAIN.sub("", sql, count=1))


def _missing_table(connection: duckdb.DuckDBPyConnection, error: duckdb.CatalogException) -> QueryError:
    missing = _MISSING_TABLE.search(str(error))
    if missing is None:
        return QueryError(str(error).strip())
    query = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_oid"
    names = [str(row[0]) for row in connection.execute(query).fetchall()]
    near = difflib.get_close_matches(missing[1], names, 1, _CLOSE_ENOUGH)
    suggestion = f"did you mean {near[0]}? " if near else ""
    return QueryError(f"unknown table {missing[1]}", f"{suggestion}tables: {', '.join(names)}")
