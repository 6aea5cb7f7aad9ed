"""How long a committed change takes until a query sees it, measured at the history tables themselves."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.local.home import Home
from fluvial.sql_text import literal, quote

Reader = Callable[[str], Sequence[tuple[Any, ...]]]
"""Rows of one SQL statement over the lake."""

_BATCHES: Final = (
    'SELECT "table", query_id, batch_id, processed_at FROM batches WHERE processed_at >= TIMESTAMPTZ {since}'
)
_PERCENTILES: Final = """
SELECT quantile_cont(seconds, 0.5), quantile_cont(seconds, 0.95), count(*) FROM (
  SELECT epoch(b.queryable) - epoch(e.committed) AS seconds
  FROM ({events}) e JOIN ({batches}) b ON b.name = e.name AND b.query = e.query AND b.batch = e.batch
  WHERE e.committed >= TIMESTAMPTZ {since})
"""


@dataclass(frozen=True)
class Latency:
    """Seconds from the source's commit to the commit of the history that shows it."""

    p50: float
    p95: float
    events: int


@dataclass(frozen=True)
class QueryableBatch:
    """One table's share of a micro-batch, and when the history that holds it was committed."""

    table: str
    query_id: str
    batch_id: int
    queryable: datetime


def read_queryable_batches(use_case: UseCase, home: Home, started: datetime, read: Reader) -> list[QueryableBatch]:
    """Micro-batches begun at or after `started` whose history is there; the accounting knows only when they began."""
    commits = {table.name: _commits(_history(use_case, table.name, home)) for table in use_case.tables}
    found: list[QueryableBatch] = []
    for table, query_id, batch_id, begun in read(_BATCHES.format(since=literal(started.isoformat()))):
        times = commits.get(table, [])
        at = bisect_left(times, begun)
        if at < len(times):
            found.append(QueryableBatch(table, query_id, batch_id, times[at]))
    return found


def read_latency(
    use_case: UseCase, batches: Sequence[QueryableBatch], started: datetime, read: Reader
) -> Latency | None:
    """Over the valid change events committed since `started`; None without any."""
    if not batches:
        return None
    events = " UNION ALL ".join(
        f"SELECT {literal(table.name)} AS name, {c.COMMIT_TIME} AS committed, "  # noqa: S608
        f"{c.QUERY_ID} AS query, {c.BATCH_ID} AS batch "
        f"FROM {quote(table.name + '__log')} WHERE {c.OPERATION} <> {literal(c.READ)}"
        for table in use_case.tables
    )
    known = f"SELECT * FROM (VALUES {', '.join(_values(batches))}) AS known(name, query, batch, queryable)"  # noqa: S608
    since = literal(started.isoformat())
    ((p50, p95, count),) = read(_PERCENTILES.format(events=events, batches=known, since=since))
    return Latency(float(p50), float(p95), int(count)) if count else None


def _values(batches: Sequence[QueryableBatch]) -> Iterator[str]:
    for batch in batches:
        moment = literal(batch.queryable.isoformat())
        yield f"({literal(batch.table)}, {literal(batch.query_id)}, {batch.batch_id}, TIMESTAMPTZ {moment})"


def _history(use_case: UseCase, table: str, home: Home) -> Path:
    return Path(Locations(use_case, home.lake).table(use_case.table(table)).history)


def _commits(table: Path) -> list[datetime]:
    """When each version of a Delta table appeared on disk, oldest first."""
    files = (path for path in (table / "_delta_log").glob("*.json") if path.stem.isdecimal())
    return sorted(datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files)
