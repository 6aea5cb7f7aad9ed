"""The tables beside the histories that every batch adds to: what was measured, and what went where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import structlog

from fluvial.config.locations import Locations
from fluvial.io import lake_columns
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.failpoints import Failpoints
from fluvial.io.small_appends import SmallTable
from fluvial.io.transient import retry_transient
from fluvial.metrics.analyzers import Measurement
from fluvial.streams import BatchContext, TableCounts

_log = structlog.get_logger()


@dataclass(frozen=True)
class SideTables:
    """Appends for all tables of a batch at once, each batch once.

    A batch that is tried again as a whole is known by its transaction. What was parked comes later and table by table:
    then the rows themselves tell whether they are there.
    """

    locations: Locations
    failpoints: Failpoints = field(default_factory=Failpoints)

    def write_metrics(
        self, checked: Mapping[str, CheckedBatch], context: BatchContext, parked: str | None = None
    ) -> None:
        """One append for all tables, none for a batch of redeliveries; `parked` names the one table that was."""
        rows = [
            self._told(name, measurement, context)
            for name, batch in checked.items()
            if batch.counts.is_new
            for measurement in batch.counted.measurements
        ]
        self._append(rows, "metrics", context, parked)

    def write_accounting(
        self,
        checked: Mapping[str, CheckedBatch],
        counts: Mapping[str, TableCounts],
        context: BatchContext,
        parked: str | None = None,
    ) -> None:
        """What went where, but for tables that only saw redeliveries."""
        rows = [
            _accounting_row(name, checked.get(name), count, context)
            for name, count in counts.items()
            if not count.is_redelivery
        ]
        self._append(rows, "batches", context, parked)

    def _append(self, rows: Sequence[tuple[object, ...]], kind: str, context: BatchContext, parked: str | None) -> None:
        table, columns = self._places[kind]
        if not rows or (parked is not None and table.has_row(_identity(parked, context))):
            return
        transaction = None if parked is not None else (f"fluvial/{context.query_id}/{kind}", context.batch_id)
        with self.failpoints.around(kind):
            # Two lanes may be the first to write here, and only one of them makes the table.
            retry_transient(lambda: table.append(rows, columns, transaction))

    @cached_property
    def _places(self) -> Mapping[str, tuple[SmallTable, Mapping[str, str]]]:
        return {
            "metrics": (SmallTable(self.locations.dq_metrics), lake_columns.DQ_METRICS),
            "batches": (SmallTable(self.locations.batches), lake_columns.BATCHES),
        }

    def _told(self, table: str, found: Measurement, context: BatchContext) -> tuple[object, ...]:
        if found.is_breach:
            _log.warning("metric below threshold", table=table, metric=found.metric, column=found.column)
        return metric_row(self.locations.use_case.name, table, found, context)


def metric_row(use_case: str, table: str, found: Measurement, context: BatchContext) -> tuple[object, ...]:
    """A row of `dq_metrics`."""
    identity = (use_case, table, context.query_id, context.batch_id)
    judged = (found.threshold, found.severity, found.is_breach)
    return (*identity, found.metric, found.column, found.value, *judged, context.processed_at)


def _identity(table: str, context: BatchContext) -> dict[str, object]:
    return {"table": table, "query_id": context.query_id, "batch_id": context.batch_id}


def _accounting_row(
    name: str, batch: CheckedBatch | None, counts: TableCounts, context: BatchContext
) -> tuple[object, ...]:
    summary = batch.summary if batch else None
    bounds = (summary.min_commit_micros, summary.max_commit_micros) if summary else (None, None)
    times = tuple(None if micros is None else time_of(micros) for micros in bounds)
    return (name, context.query_id, context.batch_id, *vars(counts).values(), *times, context.processed_at)


def time_of(micros: int) -> datetime:
    """The moment so many microseconds after 1970 began, UTC."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
