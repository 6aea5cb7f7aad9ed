"""The counts of one pass over CheckedRecords: how many records of each kind, and the bounds of their positions."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.streams import (
    CONTROL,
    DEAD_LETTER,
    EVENT,
    HAS_ERROR,
    KIND,
    PREVIOUS_KEY,
    SNAPSHOT_END,
    TOMBSTONE,
    BatchSummary,
)


def summary_columns() -> list[Column]:
    """Aggregates over CheckedRecords, named as the fields of BatchSummary."""
    is_event = F.col(KIND) == EVENT
    is_implying = F.col(PREVIOUS_KEY).isNotNull() | F.col(SNAPSHOT_END)
    is_keyless = is_event & ((F.col(c.OPERATION) == c.TRUNCATE) | F.col(SNAPSHOT_END))

    def count(condition: Column) -> Column:
        return F.count(F.when(condition, 1))

    return [
        F.count(F.lit(1)).alias("consumed"),
        count(is_event).alias("events"),
        count(is_event & is_implying).alias("derived_events"),
        count(is_event & F.col(HAS_ERROR)).alias("violated"),
        count(F.col(KIND) == DEAD_LETTER).alias("dead_letters"),
        count(F.col(KIND) == CONTROL).alias("control_messages"),
        count(F.col(KIND) == TOMBSTONE).alias("tombstones"),
        count(is_event & F.col(c.NOT_AUTHORED).isNotNull()).alias("partial_events"),
        F.min(F.when(is_event & (F.col(c.OPERATION) == c.READ), F.col(c.SEQUENCE))).alias("snapshot_sequence"),
        F.max(F.when(is_keyless, F.col(c.SEQUENCE))).alias("keyless_sequence"),
        F.max(F.when(is_keyless, F.unix_micros(c.COMMIT_TIME))).alias("keyless_commit_micros"),
        F.min(F.when(is_event, F.col(c.SEQUENCE))).alias("min_sequence"),
        F.max(F.when(is_event, F.col(c.SEQUENCE))).alias("max_sequence"),
        F.min(F.when(is_event, F.unix_micros(c.COMMIT_TIME))).alias("min_commit_micros"),
        F.max(F.when(is_event, F.unix_micros(c.COMMIT_TIME))).alias("max_commit_micros"),
    ]


def read_summary(observed: Mapping[str, Any]) -> BatchSummary:
    """The observed aggregates, and the number of different events, as a BatchSummary."""
    return BatchSummary(**{name: observed[name] for name in BatchSummary.__dataclass_fields__})
