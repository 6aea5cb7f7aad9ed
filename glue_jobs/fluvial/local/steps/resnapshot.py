"""RESNAPSHOT: the capture begun anew, with a new slot, the next epoch and a new snapshot."""

import time
from typing import Final

from psycopg import errors, sql

from fluvial.compile.source_names import connector_name, slot_name
from fluvial.config.model import Table, UseCase
from fluvial.errors import StackError
from fluvial.local.connect_api import ConnectApi
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.source_database import Connection, connect, friendly_errors
from fluvial.local.steps.capture import check_source, remove_connector, start_capture
from fluvial.plan.steps import Step

_PAUSE_SECONDS: Final = 0.2


def renew_capture(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Replaces connector and slot, waits until the snapshot is taken, and truncates the tables that are empty.

    An empty table has no row that could say so; its TRUNCATE is an event, and closes what the lake still holds.
    """
    endpoints = read_endpoints(home)
    check_source(endpoints, use_case)
    remove_connector(endpoints, use_case)
    started = start_capture(step, use_case, home)
    _wait_for_snapshot(endpoints, use_case)
    truncated, kept = _truncate_empty(endpoints, use_case)
    return {**started, "empty_tables_truncated": truncated, "empty_tables_not_truncated": kept}


def _wait_for_snapshot(endpoints: Endpoints, use_case: UseCase) -> None:
    """Debezium reads the slot once its snapshot is complete; that may take hours, so only a failure ends the wait."""
    api, name = ConnectApi(endpoints.connect_url), connector_name(use_case)
    query = "select active from pg_replication_slots where slot_name = %s"
    with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
        while (row := connection.execute(query, [slot_name(use_case)]).fetchone()) != (True,):
            status = api.status(name)
            if row is None or status is None or status.is_failed:
                said = status.first_lines() if status else f"no connector '{name}'"
                hint = "mend the reason and run `fluvial resnapshot` again"
                raise StackError(f"the snapshot wasn't completed: {said or 'its slot is gone'}", hint, part="connect")
            time.sleep(_PAUSE_SECONDS)


def _truncate_empty(endpoints: Endpoints, use_case: UseCase) -> tuple[list[str], list[str]]:
    """Names of the empty tables that were truncated, and of those that PostgreSQL refused to."""
    truncated, refused = [], []
    schema = use_case.source_database.schema_name
    with connect(endpoints, use_case.database_name) as connection:
        for table in use_case.tables:
            try:
                with friendly_errors(use_case.database_name), connection.transaction():
                    truncated += [table.name] if _truncate_if_empty(connection, schema, table) else []
            except _RefusedError:
                refused.append(table.name)
    return truncated, refused


class _RefusedError(Exception):
    """A foreign key points at the table, or somebody holds a lock on it."""


def _truncate_if_empty(connection: Connection, schema: str, table: Table) -> bool:
    name = sql.Identifier(schema, table.name)
    is_empty = sql.SQL("select not exists (select from {})").format(name)
    if connection.execute(is_empty).fetchone() != (True,):
        return False
    try:
        connection.execute("set local lock_timeout = '5s'")
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(name))
        if connection.execute(is_empty).fetchone() != (True,):
            return False
        connection.execute(sql.SQL("truncate {}").format(name))
    except (errors.FeatureNotSupported, errors.LockNotAvailable, errors.InsufficientPrivilege) as error:
        raise _RefusedError(table.name) from error
    return True
