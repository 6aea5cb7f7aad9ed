"""The embedded PostgreSQL seen from Fluvial: connections, and errors that say what to do."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from fluvial.compile.source_ddl import is_required
from fluvial.config.model import Table, UseCase
from fluvial.config.types import postgres_type
from fluvial.errors import SourceError, StackError
from fluvial.local.endpoints import Endpoints

Connection = psycopg.Connection[Any]

_DEPLOY_HINT = "create the source tables first: `fluvial up` or the deploy DAG does it"
_COLUMNS = """
select attribute.attname, format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull,
       coalesce(array_position(key.conkey, attribute.attnum), 0)
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
left join pg_constraint key on key.conrelid = class.oid and key.contype = 'p'
where namespace.nspname = %s and class.relname = %s
"""


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
    differences = [difference for table in use_case.tables for difference in _differences(connection, use_case, table)]
    if differences:
        raise SourceError(
            f"database '{use_case.database_name}' differs from tables.yaml:\n  " + "\n  ".join(differences),
            "drop or rename the table, or describe it in tables.yaml as it is",
        )


def _differences(connection: Connection, use_case: UseCase, table: Table) -> Iterator[str]:
    schema = use_case.source_database.schema_name
    found = {name: rest for name, *rest in connection.execute(_COLUMNS, [schema, table.name])}
    place = f"table {schema}.{table.name}"
    if not found:
        yield f"{place} doesn't exist"
        return
    for column in table.columns:
        expected = postgres_type(column.type)
        if column.name not in found:
            yield f"{place} lacks column {column.name} {expected}"
        elif found[column.name][0] != expected:
            yield f"{place}: column {column.name} is {found[column.name][0]}, expected {expected}"
        elif found[column.name][1] and not is_required(table, column):
            yield f"{place}: column {column.name} is NOT NULL, expected nullable: rows that break a rule have to get in"
    key = tuple(name for name, rest in sorted(found.items(), key=lambda item: item[1][2]) if rest[2])
    if key != table.primary_key:
        yield f"{place}: primary key is ({', '.join(key)}), expected ({', '.join(table.primary_key)})"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
