"""The embedded PostgreSQL seen from Fluvial: connections, and errors that say what to do."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from fluvial.compile.source_ddl import compile_added_column, is_required
from fluvial.config.model import Column, Table, UseCase
from fluvial.config.types import holds, postgres_type
from fluvial.errors import SourceError, StackError
from fluvial.local.endpoints import Endpoints
from fluvial.plan.change_plan import LiveDifference
from fluvial.verify.source_facts import COLUMN_TYPE

Connection = psycopg.Connection[Any]

_DEPLOY_HINT = "create the source tables first: `fluvial up` or the deploy DAG does it"
_COLUMNS = f"""
select attribute.attname, {COLUMN_TYPE}, attribute.attnotnull,
       coalesce(array_position(key.conkey, attribute.attnum), 0), attribute.attgenerated <> ''
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
join pg_type kind on kind.oid = attribute.atttypid
left join pg_constraint key on key.conrelid = class.oid and key.contype = 'p'
where namespace.nspname = %s and class.relname = %s
"""  # noqa: S608 - put together from constants


def connect(endpoints: Endpoints, database: str, *, autocommit: bool = True) -> Connection:
    """A connection as the owner; raises StackError where nobody answers, SourceError without the database."""
    try:
        return psycopg.connect(endpoints.postgres_dsn(database), autocommit=autocommit, connect_timeout=10)
    except psycopg.OperationalError as error:
        if f'database "{database}" does not exist' in str(error):
            raise SourceError(f"PostgreSQL has no database '{database}'", _DEPLOY_HINT) from error
        reason = str(error).strip().splitlines()[-1]
        raise StackError(
            f"PostgreSQL doesn't answer: {reason}", "see `fluvial status`, mend it with `fluvial up`", part="postgres"
        ) from error


@contextmanager
def friendly_errors(database: str) -> Iterator[None]:
    """Turns what PostgreSQL refuses into a SourceError."""
    try:
        yield
    except errors.UndefinedTable as error:
        raise SourceError(f"{_first_line(error)} in database '{database}'", _DEPLOY_HINT) from error
    except (errors.OperationalError, errors.AdminShutdown) as error:
        raise StackError(
            f"the connection to PostgreSQL broke: {_first_line(error)}", "see `fluvial status`", part="postgres"
        ) from error
    except psycopg.Error as error:
        raise SourceError(f"PostgreSQL refuses: {_first_line(error)}", "compare the table with tables.yaml") from error


def capture_password(endpoints: Endpoints) -> str:
    """The capture role's password: as secret as the owner's, and stored nowhere else."""
    return hmac.new(endpoints.postgres_password.encode(), b"fluvial capture role", hashlib.sha256).hexdigest()


def has_database(connection: Connection, database: str) -> bool:
    """Whether the server has a database of that name."""
    return connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone() is not None


def check_tables(connection: Connection, use_case: UseCase) -> None:
    """Raises SourceError, with every difference, where a table isn't what tables.yaml says; more columns are fine."""
    schema = use_case.source_database.schema_name
    differences = [
        f"table {schema}.{found.name}: {found.what}"
        for table in use_case.tables
        for found in source_differences(connection, use_case, table)
    ]
    if differences:
        raise SourceError(
            f"database '{use_case.database_name}' differs from tables.yaml:\n  " + "\n  ".join(differences),
            "drop or rename the table, or describe it in tables.yaml as it is; `fluvial plan` shows what it would do",
        )


def source_differences(connection: Connection, use_case: UseCase, table: Table) -> Iterator[LiveDifference]:
    """How the table in PostgreSQL differs from tables.yaml; only a missing table or column can be mended from here."""
    schema = use_case.source_database.schema_name
    found = {name: rest for name, *rest in connection.execute(_COLUMNS, [schema, table.name])}
    if not found:
        yield LiveDifference("source", table.name, "it doesn't exist", "create table")
        return
    for column in table.columns:
        if column.name not in found:
            what = f"column {column.name} {postgres_type(column.type)} is missing"
            yield LiveDifference("source", table.name, what, compile_added_column(use_case, table, column))
        else:
            kind, is_not_null, _, is_generated = found[column.name]
            yield from _column_differences(table, column, kind, is_not_null=is_not_null, is_generated=is_generated)
    key = tuple(name for name, rest in sorted(found.items(), key=lambda item: item[1][2]) if rest[2])
    if key != table.primary_key:
        what = f"primary key is ({', '.join(key)}), expected ({', '.join(table.primary_key)})"
        yield LiveDifference("source", table.name, what, is_refused=True)


def _column_differences(
    table: Table, column: Column, kind: str, *, is_not_null: bool, is_generated: bool
) -> Iterator[LiveDifference]:
    expected = postgres_type(column.type)
    if is_generated:
        what = f"column {column.name} is generated, and no change event has its value: leave it out"
        yield LiveDifference("source", table.name, what, is_refused=True)
    elif not holds(column.type, kind):
        what = f"column {column.name} is {kind}, expected {expected}"
        yield LiveDifference("source", table.name, what, is_refused=True)
    elif is_not_null and not is_required(table, column):
        what = f"column {column.name} is NOT NULL, expected nullable: rows that break a rule have to get in"
        yield LiveDifference("source", table.name, what, is_refused=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
