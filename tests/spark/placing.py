"""Records through the chain without a lake: what goes to quarantine and log."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.history.deduplicate import drop_repeats
from fluvial.io.delta import hold
from fluvial.io.secrets import keys_of, with_keys
from fluvial.micro_batch import check_records, place_log, place_quarantined
from fluvial.quality.split import carry_batch
from fluvial.streams import (
    EVENT,
    IS_DERIVED,
    KIND,
    BatchContext,
    ChangeEvents,
    FreshEvents,
    LogRows,
    Quarantined,
    Records,
)
from fluvial.transforms.apply import filter_rows
from tests.spark.records import records


class Placed(NamedTuple):
    """Where records went."""

    quarantined: Quarantined
    log: LogRows


def place(spark: SparkSession, table: Table, values: list[str]) -> Placed:
    """What becomes of these records in one micro-batch, held as the job holds them."""
    checked = hold(check_records(Records(records(spark, values)), table))
    events = ChangeEvents(checked.where(F.col(KIND) == EVENT).withColumn(IS_DERIVED, F.lit(False)))
    context = BatchContext("query-1", 0, datetime(2026, 1, 1, tzinfo=UTC))
    kept = ChangeEvents(filter_rows(events, table))
    fresh = FreshEvents(with_keys(drop_repeats(kept, table.primary_key), keys_of(table, spark)))
    carried = carry_batch(fresh, context)
    return Placed(place_quarantined(carried, table), place_log(carried, table))


def rows(frame: DataFrame, *names: str | Column) -> list[tuple[Any, ...]]:
    """These columns in the order of the records."""
    return [tuple(row) for row in frame.orderBy("_offset").select(*names).collect()]
