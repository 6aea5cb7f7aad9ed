"""`remeasure_batches`: metrics that `dq_metrics` has lost, measured anew from what log and quarantine hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.io import delta, lake_columns
from fluvial.io.quarantine_replay import REPLAY
from fluvial.io.side_tables import metric_row, time_of
from fluvial.io.small_appends import SmallTable
from fluvial.metrics.analyzers import measure_metrics, read_measurements
from fluvial.plan.remeasuring import split_checks
from fluvial.quality.check import VIOLATIONS_TYPE
from fluvial.quality.gap_markers import with_gap_markers
from fluvial.streams import EVENT, KIND, BatchContext

_MICROS = "_measured_micros"
_BATCH = (c.QUERY_ID, c.BATCH_ID, c.INGESTED_AT)


@dataclass(frozen=True)
class Remeasured:
    """How many micro-batches and metrics were added, and why some can't be told."""

    batches: int
    metrics: int
    reasons: tuple[str, ...]


def remeasure_batches(session: SparkSession, table: Table, locations: Locations) -> Remeasured:
    """One row for each metric of each micro-batch of the log that `dq_metrics` says nothing of, in one commit."""
    checks, reasons = split_checks(table)
    told = table.model_copy(update={"deequ_checks": checks})
    events = _events(session, told, locations)
    found = [] if events is None else _measure(_lost(session, events, told, locations), told)
    rows = [row for batch in found for row in _metric_rows(batch, told, locations.use_case.name)]
    if rows:
        SmallTable(locations.dq_metrics).append(rows, lake_columns.DQ_METRICS)
    return Remeasured(len(found), len(rows), reasons)


def _events(session: SparkSession, table: Table, locations: Locations) -> DataFrame | None:
    """All events with their batches: valid ones as the log has them, the others as the quarantine has them."""
    places = locations.table(table)
    log = delta.read_if_exists(session, places.log)
    if log is None:
        return None
    captured = log.where(~F.col(c.QUERY_ID).startswith(REPLAY))
    valid = captured.where(~F.col(c.IS_QUARANTINED))
    events = valid.select(*_judged(valid, table, _warnings(valid, table)))
    quarantine = delta.read_if_exists(session, places.quarantine)
    if quarantine is None:
        return events
    held = with_gap_markers(quarantine, captured, table, (c.NOT_AUTHORED, *_BATCH))
    return events.unionByName(held.select(*_judged(held, table, F.col(c.VIOLATIONS))))


def _judged(rows: DataFrame, table: Table, violations: Column) -> list[Column]:
    """What a metric looks at, and the batch; a column that no event had yet is NULL."""
    known = {name.lower() for name in rows.columns}
    values = (
        (F.col(column.name) if column.name.lower() in known else F.lit(None)).cast(column.type).alias(column.name)
        for column in table.columns
    )
    kind, violated = F.lit(EVENT).alias(KIND), violations.cast(VIOLATIONS_TYPE).alias(c.VIOLATIONS)
    return [*values, kind, violated, *(F.col(name) for name in (c.OPERATION, c.NOT_AUTHORED, *_BATCH))]


def _warnings(log: DataFrame, table: Table) -> Column:
    """The warnings of valid events as violations; none in a log that is older than its column for them."""
    if c.WARNINGS not in log.columns or not table.dq_rules:
        return F.lit(None)
    columns = F.create_map(*(F.lit(part) for rule in table.dq_rules for part in (rule.id, rule.column)))
    nothing = F.lit(None).cast("string")

    def violation(rule_id: Column) -> Column:
        parts = {"rule_id": rule_id, "column": columns[rule_id], "severity": F.lit("warning")}
        rest = {"message": nothing, "rule_version": nothing}
        return F.struct(*(part.alias(name) for name, part in (parts | rest).items()))

    return F.transform(c.WARNINGS, violation)


def _lost(session: SparkSession, events: DataFrame, table: Table, locations: Locations) -> DataFrame:
    measured = delta.read_if_exists(session, locations.dq_metrics)
    if measured is None:
        return events
    own = measured.where(F.col("table") == table.name)
    known = own.select(F.col("query_id").alias(c.QUERY_ID), F.col("batch_id").alias(c.BATCH_ID)).distinct()
    return events.join(known, [c.QUERY_ID, c.BATCH_ID], "left_anti")


def _measure(events: DataFrame, table: Table) -> list[Row]:
    time = F.max(F.unix_micros(c.INGESTED_AT)).alias(_MICROS)
    batches = events.groupBy(c.QUERY_ID, c.BATCH_ID).agg(time, *measure_metrics(table))
    return batches.orderBy(_MICROS, c.BATCH_ID).collect()


def _metric_rows(batch: Row, table: Table, use_case: str) -> Iterator[tuple[object, ...]]:
    measured_at = time_of(batch[_MICROS])
    context = BatchContext(batch[c.QUERY_ID], batch[c.BATCH_ID], measured_at)
    for found in read_measurements(table, batch.asDict()):
        yield metric_row(use_case, table.name, found, context)
