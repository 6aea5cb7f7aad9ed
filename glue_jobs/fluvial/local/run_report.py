"""What a run brought about, read from the lake without a JVM, and what of it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io.parking import read_parked_tables
from fluvial.io.query import open_lake
from fluvial.local.home import Home
from fluvial.local.run_catch_up import TableCounts
from fluvial.local.run_latency import Latency, Reader, read_latency, read_queryable_batches
from fluvial.sql_text import quote

_METRICS: Final = """
SELECT "table", metric, coalesce("column", ''), value, threshold, severity, is_breach FROM dq_metrics
QUALIFY row_number() OVER (PARTITION BY "table", metric, "column" ORDER BY measured_at DESC, batch_id DESC) = 1
ORDER BY ALL
"""


@dataclass(frozen=True)
class TableReport:
    """One table's share."""

    name: str
    counts: TableCounts
    events: int
    versions: int
    quarantined: int
    reasons: Mapping[str, int]
    """Quarantined events by the rule they broke; one event may count for several."""


@dataclass(frozen=True)
class Metric:
    """The newest value of one metric."""

    table: str
    metric: str
    column: str
    value: float | None
    threshold: float | None
    severity: str | None
    is_breach: bool


@dataclass(frozen=True)
class RunReport:
    """Everything a run tells at its end."""

    tables: tuple[TableReport, ...]
    dead_letters: Mapping[str, int]
    metrics: tuple[Metric, ...]
    latency: Latency | None
    first_version_seconds: float | None
    missing: tuple[str, ...] = ()


def read_report(
    use_case: UseCase, home: Home, counts: Mapping[str, TableCounts], started: datetime, violations: Mapping[str, int]
) -> RunReport:
    """The report of a run that began at `started`; `violations` counts, by table, changes meant for quarantine."""

    def read(sql: str) -> Sequence[tuple[Any, ...]]:
        return open_lake(use_case, home.lake, sql).execute(sql).fetchall()

    tables = tuple(_read_table(table, counts[table.name], read) for table in use_case.tables)
    metrics = tuple(Metric(*row) for row in read(_METRICS))
    batches = read_queryable_batches(use_case, home, started, read)
    reasons = read("SELECT reason, count(*) FROM dead_letters GROUP BY ALL ORDER BY ALL")
    return RunReport(
        tables,
        {str(reason): int(count) for reason, count in reasons},
        metrics,
        read_latency(use_case, batches, started, read),
        min(((batch.queryable - started).total_seconds() for batch in batches), default=None),
        (*_missing(tables, metrics, violations), *_parked(use_case, home)),
    )


def _read_table(table: Table, counts: TableCounts, read: Reader) -> TableReport:
    quarantine = quote(f"{table.name}__quarantine")
    ((events,),) = read(f"SELECT count(*) FROM {quote(table.name + '__log_all')}")  # noqa: S608
    ((versions,),) = read(f"SELECT count(*) FROM {quote(table.name)}")  # noqa: S608
    ((quarantined,),) = read(f"SELECT count(*) FROM {quarantine}")  # noqa: S608
    reasons = read(
        f"SELECT rule, count(*) FROM (SELECT unnest({c.FAILED_RULES}) AS rule FROM {quarantine}) "  # noqa: S608
        "GROUP BY ALL ORDER BY 2 DESC, 1"
    )
    return TableReport(table.name, counts, events, versions, quarantined, {str(rule): int(n) for rule, n in reasons})


def _missing(tables: Sequence[TableReport], metrics: Sequence[Metric], violations: Mapping[str, int]) -> Sequence[str]:
    measured = {metric.table for metric in metrics}
    return [
        *(f"{table.name}: no history" for table in tables if not table.versions),
        *(_disagreement(table) for table in tables if not table.counts.agree),
        *(
            f"{table.name}: {violations[table.name]} violations were written, none is in quarantine"
            for table in tables
            if violations.get(table.name) and not table.quarantined
        ),
        *(f"{table.name}: no metrics" for table in tables if table.name not in measured),
    ]


def _parked(use_case: UseCase, home: Home) -> Sequence[str]:
    return [str(parked.notice) for parked in read_parked_tables(Locations(use_case, home.lake).parked)]


def _disagreement(table: TableReport) -> str:
    counts = table.counts
    return (
        f"{table.name}: PostgreSQL has {counts.source} rows, the lake shows {counts.current} "
        f"and holds {counts.held} back in quarantine"
    )
