"""Waiting until everything that was written into the source can be queried."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table, UseCase
from fluvial.errors import StackError
from fluvial.io.query import open_lake
from fluvial.local.consumer_lag import read_consumer_lag
from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.process import log_path, read_log_tail
from fluvial.local.source_database import connect, friendly_errors
from fluvial.local.streaming import is_streaming, process_name
from fluvial.sql_text import quote

_CALM_LOOKS: Final = 2
"""The log reader works in steps of half a second: one look at empty topics proves nothing."""
_PAUSE_SECONDS: Final = 1.0

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TableCounts:
    """How the source and the lake stand; `held` are keys whose newest change is in quarantine and that show no row."""

    source: int
    current: int
    held: int

    @property
    def agree(self) -> bool:
        """Whether every row of the source is either shown or held back."""
        return self.source == self.current + self.held


def read_counts(use_case: UseCase, home: Home, endpoints: Endpoints) -> dict[str, TableCounts]:
    """Source against lake, by table."""
    source = _count_source(use_case, endpoints)
    lake = {table.name: _count_lake(use_case, table, home) for table in use_case.tables}
    return {name: TableCounts(source[name], *lake[name]) for name in lake}


def count_arrived(use_case: UseCase, home: Home) -> int:
    """Change events in the logs, quarantined ones included, and dead letters."""
    parts = [f"SELECT count(*) AS n FROM {quote(table.name + '__log_all')}" for table in use_case.tables]  # noqa: S608
    sql = f"SELECT sum(n) FROM ({' UNION ALL '.join([*parts, 'SELECT count(*) FROM dead_letters'])})"  # noqa: S608
    return int(_row(use_case, home, sql)[0])


def await_everything(
    use_case: UseCase, home: Home, endpoints: Endpoints, expected: int, patience: float, progress: Progress
) -> str:
    """Waits until `expected` events arrived, none waits, and source and lake agree; "", or what is still missing.

    Gives up when nothing has moved for `patience` seconds: a slow machine may take long.
    """
    seen, calm, most, moved = None, 0, 1, time.monotonic()
    while time.monotonic() - moved < patience:
        _require_streaming(use_case, home)
        # The lag is cheap to ask for; the tables are opened only once nothing waits any more.
        behind = sum(read_consumer_lag(use_case, home, endpoints.bootstrap_servers).values())
        arrived = expected if behind else count_arrived(use_case, home)
        if (behind, arrived) != seen:
            seen, moved = (behind, arrived), time.monotonic()
        most = max(most, behind)
        progress("waiting until everything is queryable", most - behind, most)
        is_complete = not behind and arrived >= expected and _agree(use_case, home, endpoints)
        calm = calm + 1 if is_complete else 0
        if calm == _CALM_LOOKS:
            return ""
        time.sleep(_PAUSE_SECONDS)
    return f"nothing has moved for {patience:.0f} s: {_describe(seen, expected)}"


def _agree(use_case: UseCase, home: Home, endpoints: Endpoints) -> bool:
    return all(counts.agree for counts in read_counts(use_case, home, endpoints).values())


def _describe(seen: tuple[int, int] | None, expected: int) -> str:
    behind, arrived = seen or (0, 0)
    if behind:
        return f"{behind:,} records wait in the topics"
    if arrived < expected:
        return f"{arrived:,} of {expected:,} change events have arrived"
    return "everything has arrived, but source and lake differ"


def _count_source(use_case: UseCase, endpoints: Endpoints) -> dict[str, int]:
    schema, counts = quote(use_case.source_database.schema_name), {}
    with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
        for table in use_case.tables:
            row = connection.execute(f"select count(*) from {schema}.{quote(table.name)}").fetchone()  # noqa: S608
            counts[table.name] = int(row[0]) if row else 0
    return counts


def _count_lake(use_case: UseCase, table: Table, home: Home) -> tuple[int, int]:
    keys = ", ".join(quote(name) for name in table.primary_key)
    current = f"(SELECT * FROM {quote(f'{table.name}__live')} WHERE {c.IS_CURRENT})"  # noqa: S608
    log = quote(f"{table.name}__log_all")
    newest = f"SELECT {keys}, arg_max({c.IS_QUARANTINED}, {c.SEQUENCE}) AS is_held FROM {log} GROUP BY ALL"  # noqa: S608
    sql = (
        f"SELECT (SELECT count(*) FROM {current}), "  # noqa: S608
        f"(SELECT count(*) FROM ({newest}) ANTI JOIN {current} USING ({keys}) WHERE is_held)"
    )
    shown, held = _row(use_case, home, sql)
    return int(shown), int(held)


def _row(use_case: UseCase, home: Home, sql: str) -> tuple[int, ...]:
    row = open_lake(use_case, home.lake, sql).execute(sql).fetchone()
    return tuple(int(value or 0) for value in row or ())


def _require_streaming(use_case: UseCase, home: Home) -> None:
    if not is_streaming(use_case, home):
        name = process_name(use_case.name)
        raise StackError(
            f"the streaming job of '{use_case.name}' has ended",
            "the log says why; nothing is lost: run it again and it goes on",
            part=name,
            log_path=log_path(home, name),
            log_tail=read_log_tail(home, name),
        )
