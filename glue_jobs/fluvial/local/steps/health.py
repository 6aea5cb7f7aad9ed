"""HEALTH: one look at every part of a use case's stream."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import duckdb

from fluvial.compile.source_names import connector_name, slot_name
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import FluvialError, SourceError, StackError
from fluvial.io.lake import open_lake
from fluvial.io.parking import read_parked_tables
from fluvial.local.broker import Broker
from fluvial.local.connect_api import ConnectApi
from fluvial.local.consumer_lag import read_consumer_lag
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.health import Check, HealthReport, report_path
from fluvial.local.home import Home
from fluvial.local.source_database import check_tables, connect, friendly_errors
from fluvial.local.state_files import write_state
from fluvial.local.steps.capture import check_source
from fluvial.local.streaming import is_streaming, process_name
from fluvial.local.streaming_state import read_streaming_state
from fluvial.plan.steps import Step

MOST_SLOT_LAG_BYTES: Final = 256 * 1024 * 1024
MOST_QUARANTINED_SHARE: Final = 0.25
FEWEST_JUDGED_EVENTS: Final = 100
MOST_IDLE_SECONDS_BEHIND: Final = 120.0

_SLOT: Final = """
select active, wal_status, safe_wal_size::bigint, confirmed_flush_lsn::text,
       pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint
from pg_replication_slots where slot_name = %s
"""
_QUARANTINED: Final = """
select coalesce(sum(quarantined), 0), coalesce(sum(log_rows), 0) from batches
where processed_at > now() - interval 1 hour
"""


def report_health(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """The report, also left in `run/health-<use case>.json`; raises StackError where some part isn't well."""
    report = check_health(use_case, home)
    write_state(report_path(use_case.name, home), json.dumps(report.as_json(), indent=2, default=str) + "\n")
    if not report.ok:
        raise StackError(f"'{use_case.name}' isn't well:\n{report}", "`fluvial status` shows the parts", part="health")
    return report.as_json()


def check_health(use_case: UseCase, home: Home) -> HealthReport:
    """Looks at everything from the source to the quarantine; a part that can't be asked isn't well."""
    endpoints = read_endpoints(home)
    checks: dict[str, Callable[[], Check]] = {
        "postgres": lambda: _check_slot(use_case, endpoints),
        "source": lambda: _check_source(use_case, endpoints),
        "connector": lambda: _check_connector(use_case, endpoints),
        "broker": lambda: _check_topics(use_case, endpoints),
        "streaming": lambda: _check_streaming(use_case, home, endpoints),
        "tables": lambda: _check_tables(use_case, home),
        "quarantine": lambda: _check_quarantine(use_case, home),
    }
    return HealthReport(use_case.name, tuple(_asked(name, check) for name, check in checks.items()))


def _asked(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except FluvialError as error:
        return Check(name, ok=False, problem=error.message, hint=error.hint)


def _check_slot(use_case: UseCase, endpoints: Endpoints) -> Check:
    name = slot_name(use_case)
    with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
        row = connection.execute(_SLOT, [name]).fetchone()
    if row is None:
        return Check("postgres", ok=False, problem=f"no replication slot '{name}'", hint="start the capture")
    active, wal_status, safe_wal_size, position, lag = row
    figures: dict[str, object] = {
        "slot": name, "active": active, "wal_status": wal_status, "safe_wal_size": safe_wal_size,
        "confirmed_flush_lsn": position, "lag_bytes": lag,
    }  # fmt: skip
    if wal_status in {"unreserved", "lost"}:
        hint = "take a new snapshot with a new slot: `fluvial resnapshot`"
        return Check("postgres", ok=False, problem=f"slot '{name}' is {wal_status}", hint=hint, figures=figures)
    if not active:
        problem = f"nobody reads slot '{name}', and PostgreSQL keeps {lag:,} bytes of log for it"
        return Check("postgres", ok=False, problem=problem, hint="see the connector", figures=figures)
    if lag > MOST_SLOT_LAG_BYTES:
        problem = f"slot '{name}' is {lag:,} bytes behind"
        return Check("postgres", ok=False, problem=problem, hint="see the connector's log", figures=figures)
    return Check("postgres", ok=True, figures=figures)


def _check_source(use_case: UseCase, endpoints: Endpoints) -> Check:
    """A table that was made again, or renamed, is in no publication any more, and the slot goes on without it.

    Of a column that was dropped or renamed no event says anything any more: its values stay as they are.
    """
    try:
        with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
            check_tables(connection, use_case)
        check_source(endpoints, use_case)
    except SourceError as error:
        hint = f"{error.hint}; `fluvial resnapshot` brings what was missed"
        return Check("source", ok=False, problem=error.message, hint=hint)
    return Check("source", ok=True, figures={"tables": len(use_case.tables)})


def _check_connector(use_case: UseCase, endpoints: Endpoints) -> Check:
    name = connector_name(use_case)
    status = ConnectApi(endpoints.connect_url).status(name)
    if status is None:
        return Check("connector", ok=False, problem=f"no connector '{name}'", hint="start the capture")
    figures: dict[str, object] = {"connector": status.connector, "tasks": list(status.tasks)}
    if not status.is_running:
        problem = status.first_lines() or f"connector '{name}' is {status.connector}"
        return Check("connector", ok=False, problem=problem, hint="run the capture step again", figures=figures)
    return Check("connector", ok=True, figures=figures)


def _check_topics(use_case: UseCase, endpoints: Endpoints) -> Check:
    existing = Broker(endpoints.bootstrap_servers).partitions()
    missing = [table.topic for table in use_case.tables if table.topic not in existing]
    if missing:
        return Check("broker", ok=False, problem=f"no topic {', '.join(missing)}", hint="run the topics step")
    return Check("broker", ok=True, figures={"topics": len(use_case.tables)})


def _check_streaming(use_case: UseCase, home: Home, endpoints: Endpoints) -> Check:
    state, hint = read_streaming_state(use_case.name, home), f"see {process_name(use_case.name)}.log, then `fluvial up`"
    if not is_streaming(use_case, home):
        reason = f": {state.error}" if state and state.error else ""
        return Check("streaming", ok=False, problem=f"the streaming job doesn't run{reason}", hint=hint)
    if state is None or state.state != "running":
        said = f"{state.state} {state.error}".strip() if state else "nothing yet"
        return Check("streaming", ok=False, problem=f"the streaming job says: {said}", hint=hint)
    age = (datetime.now(UTC) - state.updated_at).total_seconds() if state.updated_at else 0.0
    behind = read_consumer_lag(use_case, home, endpoints.bootstrap_servers)
    figures: dict[str, object] = {"batch_id": state.batch_id, "seconds_since_batch": round(age, 1), "behind": behind}
    if sum(behind.values()) and age > MOST_IDLE_SECONDS_BEHIND:
        problem = f"{sum(behind.values()):,} records wait, and no micro-batch ended for {age:.0f} s"
        return Check("streaming", ok=False, problem=problem, hint=hint, figures=figures)
    return Check("streaming", ok=True, figures=figures)


def _check_tables(use_case: UseCase, home: Home) -> Check:
    notices = [parked.notice for parked in read_parked_tables(Locations(use_case, home.lake).parked)]
    figures: dict[str, object] = {"parked": [asdict(notice) for notice in notices]}
    problem = "; ".join(str(notice) for notice in notices)
    hint = "mend the reason; a parked table comes back by itself, a stopped one says what it needs" if notices else ""
    return Check("tables", ok=not notices, problem=problem, hint=hint, figures=figures)


def _check_quarantine(use_case: UseCase, home: Home) -> Check:
    try:
        row = open_lake(use_case, home.lake, _QUARANTINED).execute(_QUARANTINED).fetchone()
    except duckdb.Error as error:
        return Check("quarantine", ok=False, problem=f"can't be read: {error}", hint="see `fluvial query`")
    quarantined, log_rows = row or (0, 0)
    share = quarantined / log_rows if log_rows else 0.0
    figures: dict[str, object] = {"quarantined_last_hour": int(quarantined), "share": round(share, 4)}
    if log_rows >= FEWEST_JUDGED_EVENTS and share > MOST_QUARANTINED_SHARE:
        problem = f"{share:.0%} of the last hour's events broke a rule"
        hint = (
            'look at the reasons: fluvial query "select _failed_rules, count(*) from <table>__quarantine group by all"'
        )
        return Check("quarantine", ok=False, problem=problem, hint=hint, figures=figures)
    return Check("quarantine", ok=True, figures=figures)
