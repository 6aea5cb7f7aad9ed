"""The tables beside the histories that every batch adds to: what was measured, and what went where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.io import delta
from fluvial.io.failpoints import Failpoints
from fluvial.io.table_writer import CheckedBatch
from fluvial.io.transient import retry_transient
from fluvial.metrics.analyzers import Measurement
from fluvial.streams import BatchContext, TableCounts

_BATCHES_SCHEMA: Final = (
    "table string, query_id string, batch_id bigint, consumed bigint, log_rows bigint, quarantined bigint, "
    "dead_letters bigint, control_messages bigint, tombstones bigint, duplicates bigint, "
    "min_commit_time timestamp, max_commit_time timestamp, processed_at timestamp"
)
_METRICS_SCHEMA: Final = (
    "use_case string, table string, query_id string, batch_id bigint, metric string, column string, value double, "
    "threshold double, severity string, is_breach boolean, measured_at timestamp"
)
_log = structlog.get_logger()


@dataclass(frozen=True)
class SideTables:
    """Appends for all tables of a batch at once, each batch once.

    A batch that is tried again as a whole is known by its transaction. What was parked comes later and table by table:
    then the rows themselves tell whether they are there.
    """

    session: SparkSession
    locations: Locations
    failpoints: Failpoints = field(default_factory=Failpoints)

    def write_metrics(
        self, checked: Mapping[str, CheckedBatch], context: BatchContext, parked: str | None = None
    ) -> None:
        """One append for all tables, none for a batch of redeliveries; `parked` names the one table that was."""
        rows = [
            self._metric_row(name, measurement, context)
            for name, batch in checked.items()
            if batch.counts.is_new
            for measurement in batch.measurements
        ]
        self._append(rows, _METRICS_SCHEMA, "metrics", context, parked)

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
        self._append(rows, _BATCHES_SCHEMA, "batches", context, parked)

    def _append(
        self, rows: Sequence[tuple[object, ...]], schema: str, kind: str, context: BatchContext, parked: str | None
    ) -> None:
        path = self.locations.dq_metrics if kind == "metrics" else self.locations.batches
        if not rows or (parked is not None and self._has(path, parked, context)):
            return
        frame = self.session.createDataFrame(rows, schema).coalesce(1)
        transaction = None if parked is not None else (f"fluvial/{context.query_id}/{kind}", context.batch_id)
        with self.failpoints.around(kind):
            # Two lanes may be the first to write here, and only one of them makes the table.
            retry_transient(lambda: delta.append(frame, path, transaction=transaction))

    def _has(self, path: str, table: str, context: BatchContext) -> bool:
        found = delta.read_if_exists(self.session, path)
        if found is None:
            return False
        is_same = (F.col("query_id") == context.query_id) & (F.col("batch_id") == context.batch_id)
        return bool(found.where((F.col("table") == table) & is_same).limit(1).count())

    def _metric_row(self, table: str, found: Measurement, context: BatchContext) -> tuple[object, ...]:
        if found.is_breach:
            _log.warning("metric below threshold", table=table, metric=found.metric, column=found.column)
        identity = (self.locations.use_case.name, table, context.query_id, context.batch_id)
        judged = (found.threshold, found.severity, found.is_breach)
        return (*identity, found.metric, found.column, found.value, *judged, context.processed_at)


def _accounting_row(
    name: str, batch: CheckedBatch | None, counts: TableCounts, context: BatchContext
) -> tuple[object, ...]:
    summary = batch.summary if batch else None
    bounds = (summary.min_commit_micros, summary.max_commit_micros) if summary else (None, None)
    times = (_time(bounds[0]), _time(bounds[1]))
    return (name, context.query_id, context.batch_id, *vars(counts).values(), *times, context.processed_at)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
