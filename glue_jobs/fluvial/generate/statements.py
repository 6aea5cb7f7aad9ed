"""What the generator hands out: statements as data, and the SQL each one stands for."""

from dataclasses import dataclass, field
from functools import lru_cache

from psycopg import sql

from fluvial.columns import DELETE, INSERT
from fluvial.generate.draws import Increase, Value
from fluvial.generate.live_rows import Key

Assignments = tuple[tuple[str, Value | Increase], ...]


@dataclass(frozen=True)
class Statement:
    """One INSERT, UPDATE or DELETE of one row."""

    table: str
    operation: str
    key_columns: tuple[str, ...]
    key: Key
    """The row's key before the statement; for an INSERT the key is among `values`."""
    values: Assignments = ()
    violations: tuple[str, ...] = field(default=())
    """Names of the violation kinds it commits."""


Transaction = tuple[Statement, ...]
"""Statements that commit together, in this order."""


def to_sql(schema: str, statement: Statement) -> tuple[bytes, tuple[Value, ...]]:
    """The statement for psycopg, in UTF-8: identifiers quoted, every value a parameter."""
    columns = tuple((name, isinstance(value, Increase)) for name, value in statement.values)
    values = tuple(value.step if isinstance(value, Increase) else value for _, value in statement.values)
    query = _query(schema, statement.table, statement.operation, statement.key_columns, columns)
    return query, values if statement.operation == INSERT else (*values, *statement.key)


@lru_cache(maxsize=1024)
def _query(
    schema: str, table: str, operation: str, key_columns: tuple[str, ...], columns: tuple[tuple[str, bool], ...]
) -> bytes:
    return _composed(schema, table, operation, key_columns, columns).as_bytes()


def _composed(
    schema: str, table: str, operation: str, key_columns: tuple[str, ...], columns: tuple[tuple[str, bool], ...]
) -> sql.Composed:
    target = sql.Identifier(schema, table)
    if operation == INSERT:
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
        places = sql.SQL(", ").join(sql.Placeholder() for _ in columns)
        return sql.SQL("insert into {} ({}) values ({})").format(target, names, places)
    is_row = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in key_columns)
    if operation == DELETE:
        return sql.SQL("delete from {} where {}").format(target, is_row)
    changes = sql.SQL(", ").join(_assignment(name, is_increase=increase) for name, increase in columns)
    return sql.SQL("update {} set {} where {}").format(target, changes, is_row)


def _assignment(name: str, *, is_increase: bool) -> sql.Composed:
    column = sql.Identifier(name)
    if is_increase:
        return sql.SQL("{} = coalesce({}, 0) + %s").format(column, column)
    return sql.SQL("{} = %s").format(column)
