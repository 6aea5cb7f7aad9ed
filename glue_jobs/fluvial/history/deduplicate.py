"""Which change events the log doesn't hold yet.

An event's identity is (primary key, sequence, operation, payload hash, whether it was quarantined): stable when a
connector re-sends it at new Kafka offsets, different when two payloads claim one position, and different again when
an event that was quarantined comes back and passes.
"""

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.streams import (
    FINGERPRINT,
    HAS_ERROR,
    IS_DERIVED,
    BatchContext,
    BatchSummary,
    ChangeEvents,
    FreshEvents,
    LogRows,
)

DISTINCT: Final = "distinct_events"
FINGERPRINTS: Final = "fingerprints"
_DELIVERY: Final = "_delivery"
_STATE: Final = "_state"
_FRESH: Final = "fresh"
_OWN: Final = "own"
_KNOWN: Final = "known"


@dataclass(frozen=True)
class FreshCounts:
    """Records of a batch by what the log says of them; `own` rows were written by an earlier try of the same batch."""

    fresh_valid: int = 0
    fresh_quarantined: int = 0
    own_valid: int = 0
    own_quarantined: int = 0
    known: int = 0
    fresh_derived: int = 0

    @property
    def fresh(self) -> int:
        """Events to append, derived ones included."""
        return self.fresh_valid + self.fresh_quarantined + self.fresh_derived

    @property
    def is_new(self) -> bool:
        """Whether the batch brings an event that no other batch brought."""
        return self.fresh + self.own_valid + self.own_quarantined > 0


def identity(primary_key: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that make two deliveries the same event."""
    return (*primary_key, c.SEQUENCE, c.OPERATION, c.PAYLOAD_HASH, HAS_ERROR)


def all_fresh(summary: BatchSummary) -> FreshCounts:
    """Counts of a batch that repeats neither itself nor the log."""
    return FreshCounts(
        fresh_valid=summary.distinct_events - summary.violated,
        fresh_quarantined=summary.violated,
        fresh_derived=summary.derived_events,
    )


def distinct_events() -> Column:
    """How many different events CheckedRecords hold, by their fingerprints, and by a shuffle."""
    return F.count_distinct(FINGERPRINT).alias(DISTINCT)


def event_fingerprints() -> Column:
    """The fingerprints themselves, each once, as one text: for a batch that isn't large."""
    return F.array_join(F.collect_set(FINGERPRINT).cast("array<string>"), ",").alias(FINGERPRINTS)


def read_fingerprints(text: str) -> frozenset[int]:
    """Those that `event_fingerprints` found."""
    return frozenset(map(int, text.split(","))) if text else frozenset()


def drop_repeats(events: ChangeEvents, primary_key: tuple[str, ...]) -> ChangeEvents:
    """Each event once, as the first of its deliveries in the topic: so it has the same place whenever it is read."""
    deliveries = Window.partitionBy(*identity(primary_key)).orderBy(c.PARTITION, c.OFFSET)
    numbered = events.withColumn(_DELIVERY, F.row_number().over(deliveries))
    return ChangeEvents(numbered.where(F.col(_DELIVERY) == 1).drop(_DELIVERY))


def is_within(summary: BatchSummary) -> Column:
    """Rows of the lake that a batch may hold once more; bounds are literals, so that statistics skip whole files."""
    return F.col(c.SEQUENCE).between(summary.min_sequence or "", summary.max_sequence or "")


def mark_known(events: ChangeEvents, log: LogRows, primary_key: tuple[str, ...], batch: BatchContext) -> DataFrame:
    """The events, each with what the log knows of it: `fresh`, `own` (an earlier try of this batch) or `known`.

    `log` is already restricted to the batch's range of sequences, so that whole files are skipped.
    """
    is_own = (F.col(c.QUERY_ID) == batch.query_id) & (F.col(c.BATCH_ID) == batch.batch_id)
    state = F.when(is_own, F.lit(_OWN)).otherwise(F.lit(_KNOWN)).alias(_STATE)
    marked = log.withColumnRenamed(c.IS_QUARANTINED, HAS_ERROR)
    known = marked.select(*(F.col(name).alias(f"log{name}") for name in identity(primary_key)), state)
    same = reduce(operator.and_, (events[name].eqNullSafe(known[f"log{name}"]) for name in identity(primary_key)))
    joined = events.join(known, same, "left")
    return joined.select(*(events[name] for name in events.columns), F.coalesce(_STATE, F.lit(_FRESH)).alias(_STATE))


def count_states() -> list[Column]:
    """Aggregates named as the fields of FreshCounts; derived events are no records and only counted apart."""
    is_record = ~F.col(IS_DERIVED)

    def count(condition: Column, name: str) -> Column:
        return F.count(F.when(condition, 1)).alias(name)

    def records(state: str) -> Column:
        return is_record & (F.col(_STATE) == state)

    return [
        count(records(_FRESH) & ~F.col(HAS_ERROR), "fresh_valid"),
        count(records(_FRESH) & F.col(HAS_ERROR), "fresh_quarantined"),
        count(records(_OWN) & ~F.col(HAS_ERROR), "own_valid"),
        count(records(_OWN) & F.col(HAS_ERROR), "own_quarantined"),
        count(records(_KNOWN), "known"),
        count(~is_record & (F.col(_STATE) == _FRESH), "fresh_derived"),
    ]


def is_fresh() -> Column:
    """Of marked events: whether the log lacks them."""
    return F.col(_STATE) == _FRESH


def take_fresh(marked: DataFrame) -> FreshEvents:
    """The events that the log lacks."""
    return FreshEvents(marked.where(is_fresh()).drop(_STATE))
