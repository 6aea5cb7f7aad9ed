"""SOURCE_TABLES and DROP_SOURCE: the use case's database in the embedded PostgreSQL."""

from psycopg import errors, sql

from fluvial.compile.source_ddl import compile_capture_ddl, compile_source_ddl
from fluvial.compile.source_names import CAPTURE_ROLE
from fluvial.config.model import UseCase
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.source_database import (
    Connection,
    capture_password,
    check_tables,
    connect,
    friendly_errors,
    has_database,
)
from fluvial.plan.steps import Step

_ADMIN_DATABASE = "postgres"


def create_source_tables(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Database, tables, capture role and publication; a table that exists otherwise is a SourceError."""
    endpoints = read_endpoints(home)
    is_new = _create_database(endpoints, use_case.database_name)
    with (
        connect(endpoints, use_case.database_name, autocommit=False) as connection,
        friendly_errors(use_case.database_name),
    ):
        _create_tables(connection, use_case, capture_password(endpoints))
    return {
        "database": use_case.database_name,
        "created_database": is_new,
        "tables": [table.name for table in use_case.tables],
    }


def drop_source(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Drops the database, and the capture role once no database needs it."""
    endpoints = read_endpoints(home)
    with connect(endpoints, _ADMIN_DATABASE) as connection, friendly_errors(_ADMIN_DATABASE):
        existed = has_database(connection, use_case.database_name)
        name = sql.Identifier(use_case.database_name)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        _drop_unused_role(connection)
    return {"database": use_case.database_name, "dropped": existed}


def _create_database(endpoints: Endpoints, database: str) -> bool:
    with connect(endpoints, _ADMIN_DATABASE) as connection, friendly_errors(_ADMIN_DATABASE):
        if has_database(connection, database):
            return False
        try:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            return False
        return True


def _create_tables(connection: Connection, use_case: UseCase, password: str) -> None:
    # `if not exists` still collides between two sessions, such as a retried task and the one it replaces.
    connection.execute("select pg_advisory_xact_lock(hashtext('fluvial source tables'))")
    for statement in compile_source_ddl(use_case):
        connection.execute(statement.encode())
    check_tables(connection, use_case)
    for statement in compile_capture_ddl(use_case):
        connection.execute(statement.encode())
    role = sql.Identifier(CAPTURE_ROLE)
    connection.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(password)))


def _drop_unused_role(connection: Connection) -> None:
    try:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(CAPTURE_ROLE)))
    except errors.DependentObjectsStillExist:
        return
