"""CAPTURE and STOP_CAPTURE: the Debezium connector, its replication slot and its publication."""

import time
from typing import Final

from psycopg import sql

from fluvial.compile.debezium import SourceEndpoint, compile_connector, epoch_of
from fluvial.compile.source_names import CAPTURE_ROLE, connector_name, publication_name, slot_name
from fluvial.config.model import UseCase
from fluvial.errors import SourceError, StackError
from fluvial.io.source_catalog import read_source_tables
from fluvial.local.capture_epoch import next_epoch, remember_epoch
from fluvial.local.connect_api import ConnectApi
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.source_database import Connection, capture_password, connect, friendly_errors, has_database
from fluvial.plan.steps import Step
from fluvial.verify.source_findings import unseen

_START_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 0.1
# A failure younger than this may be the one a restart is about to replace.
_FAILURE_GRACE_SECONDS: Final = 3
_SLOT_SECONDS: Final = 15


def start_capture(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Creates or changes the connector and waits until it runs; one that runs with this configuration is left alone.

    A connector keeps its epoch; one that is made over a lake with events gets the next.
    """
    endpoints = read_endpoints(home)
    check_source(endpoints, use_case)
    api, name = ConnectApi(endpoints.connect_url), connector_name(use_case)
    existing = api.config(name)
    epoch = next_epoch(use_case, home) if existing is None else epoch_of(existing)
    remember_epoch(use_case, home, epoch)
    change = _apply(api, name, {"name": name, **_connector(endpoints, use_case, epoch)})
    _wait_until_running(api, name)
    _wait_for_slot(endpoints, use_case)
    return {"connector": name, "change": change, "slot": slot_name(use_case), "epoch": epoch, "state": "RUNNING"}


def stop_capture(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Removes the connector with its position, the replication slot and the publication."""
    endpoints = read_endpoints(home)
    removed, dropped = remove_connector(endpoints, use_case)
    with connect(endpoints, "postgres") as connection, friendly_errors("postgres"):
        exists = has_database(connection, use_case.database_name)
    if exists:
        with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
            publication = sql.Identifier(publication_name(use_case))
            connection.execute(sql.SQL("drop publication if exists {}").format(publication))
    return {"connector_removed": removed, "slot_dropped": dropped}


def remove_connector(endpoints: Endpoints, use_case: UseCase) -> tuple[bool, bool]:
    """Removes the connector with its position, and its replication slot; whether there was each of them."""
    removed = ConnectApi(endpoints.connect_url).remove(connector_name(use_case))
    with connect(endpoints, "postgres") as connection, friendly_errors("postgres"):
        return removed, _drop_slot(connection, slot_name(use_case))


def _connector(endpoints: Endpoints, use_case: UseCase, epoch: int) -> dict[str, str]:
    source = SourceEndpoint("127.0.0.1", endpoints.postgres_port, CAPTURE_ROLE, capture_password(endpoints))
    return compile_connector(use_case, source, epoch)


def check_source(endpoints: Endpoints, use_case: UseCase) -> None:
    """Debezium itself would run, and stay silent about a table that isn't there or try a snapshot again for ever."""
    schema, database = use_case.source_database.schema_name, use_case.database_name
    query = "select tablename from pg_publication_tables where pubname = %s and schemaname = %s"
    with connect(endpoints, database) as connection, friendly_errors(database):
        published = {name for (name,) in connection.execute(query, [publication_name(use_case), schema])}
        found = read_source_tables(connection, schema, CAPTURE_ROLE)
    if missing := [table.name for table in use_case.tables if table.name not in published]:
        raise SourceError(
            f"database '{database}' has no published table {', '.join(f'{schema}.{name}' for name in missing)}",
            "create the source tables first: `fluvial up` or the deploy DAG does it",
        )
    misses = [
        finding
        for table in use_case.tables
        for finding in unseen(table.name, found[table.name], CAPTURE_ROLE, "debezium")
        if not finding.code.is_warning
    ]
    if misses:
        hints = dict.fromkeys(finding.hint for finding in misses)
        raise SourceError("; ".join(finding.message for finding in misses), "; ".join(hints))


def _apply(api: ConnectApi, name: str, wanted: dict[str, str]) -> str:
    existing = api.config(name)
    if existing != wanted:
        api.put_config(name, wanted)
        return "created" if existing is None else "changed"
    status = api.status(name)
    if status is not None and status.is_failed:
        api.restart_failed(name)
        return "restarted"
    if status is not None and status.connector in {"PAUSED", "STOPPED"}:
        api.resume(name)
        return "resumed"
    return "none"


def _wait_until_running(api: ConnectApi, name: str) -> None:
    start = time.monotonic()
    while (waited := time.monotonic() - start) < _START_SECONDS:
        status = api.status(name)
        if status is not None and status.is_running:
            return
        if status is not None and status.is_failed and waited > _FAILURE_GRACE_SECONDS:
            raise StackError(
                f"connector '{name}' failed:\n{status.first_lines()}",
                "mend the reason and run the step again: it restarts what failed",
                part="connect",
            )
        time.sleep(_PAUSE_SECONDS)
    raise StackError(
        f"connector '{name}' isn't running after {_START_SECONDS} s", "see the log of Connect", part="connect"
    )


def _wait_for_slot(endpoints: Endpoints, use_case: UseCase) -> None:
    """A running connector may not have its slot yet, and only from the slot on is every version an event of its own."""
    query = "select 1 from pg_replication_slots where slot_name = %s and confirmed_flush_lsn is not null"
    deadline = time.monotonic() + _START_SECONDS
    with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
        while time.monotonic() < deadline:
            if connection.execute(query, [slot_name(use_case)]).fetchone():
                return
            time.sleep(_PAUSE_SECONDS)
    raise StackError(
        f"connector '{connector_name(use_case)}' has made no replication slot", "see the log of Connect", part="connect"
    )


def _drop_slot(connection: Connection, slot: str) -> bool:
    query = "select active_pid from pg_replication_slots where slot_name = %s"
    deadline = time.monotonic() + _SLOT_SECONDS
    while (row := connection.execute(query, [slot]).fetchone()) is not None:
        if row[0] is None:
            connection.execute("select pg_drop_replication_slot(%s)", [slot])
            return True
        if time.monotonic() > deadline:
            connection.execute("select pg_terminate_backend(%s)", [row[0]])
        time.sleep(_PAUSE_SECONDS)
    return False
