"""`settle_versions`: folds a pinned range of log rows into the history, touching only what the range can change.

For each touched key the versions from its first new sequence on are derived again, out of the log rows from there on
and the one version that covers that point (the base). Comparing them with what the history holds gives the changes:
nothing where the range was settled before.
"""

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Final, NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.versions import FLOOR, IS_BASE, EventRows, derive_versions
from fluvial.streams import ACTION, History, HistoryChanges, LogRows

FIRST: Final = "_first_sequence"
"""Of a touched key: the lowest sequence from which its versions may change."""

_KNOWN_FLOOR: Final = "_known_floor"
_DERIVED: Final = "derived"
_EXISTING: Final = "existing"
_INSERT, _UPDATE, _DELETE = "INSERT", "UPDATE", "DELETE"

TouchedKeys = NewType("TouchedKeys", DataFrame)
"""Primary key, FIRST, and a floor of the effective time where one is known."""


@dataclass(frozen=True)
class RangeBounds:
    """Bounds of a range of log rows; as literals they let whole files be skipped.

    `min_commit_micros` are microseconds since the epoch. What begins with `log_` speaks of the whole log: whether any
    row is a truncate, whether any leaves a column unauthored. Where none is, the plan is much smaller.
    """

    min_sequence: str
    min_commit_micros: int
    has_truncate: bool
    log_has_truncate: bool
    log_has_partial: bool


def touched_keys(changes: LogRows, history: History, bounds: RangeBounds, table: Table) -> TouchedKeys:
    """The keys of the range with their FIRST sequence; a truncate touches every key that has a version reaching it."""
    key = list(table.primary_key)
    own = changes.where(F.col(c.OPERATION) != c.TRUNCATE).groupBy(*key).agg(F.min(c.SEQUENCE).alias(FIRST))
    floor = F.lit(None).cast("timestamp").alias(_KNOWN_FLOOR)
    if not bounds.has_truncate:
        return TouchedKeys(own.select("*", floor))
    truncates = changes.where(F.col(c.OPERATION) == c.TRUNCATE).agg(F.min(c.SEQUENCE).alias("_truncate"))
    near = history.where(_reaches(bounds.min_sequence)).select(*key).distinct()
    keys = (
        own.unionByName(near.withColumn(FIRST, F.lit(None).cast("string"))).groupBy(*key).agg(F.min(FIRST).alias(FIRST))
    )
    lowered = keys.crossJoin(F.broadcast(truncates)).withColumn(FIRST, F.least(FIRST, "_truncate"))
    return TouchedKeys(lowered.select(*key, FIRST, floor))


def lower_to_runs(touched: TouchedKeys, history: History, bounds: RangeBounds, table: Table) -> TouchedKeys:
    """For tables with `track_columns`: FIRST goes back to the start of the run of events that covers it.

    Such a version shows its newest untracked values, which are not those it had at FIRST.
    """
    key = list(table.primary_key)
    near = history.where(_reaches(bounds.min_sequence))
    starts = near.select(
        *key, F.col(c.SEQUENCE).alias("_start"), c.END_SEQUENCE, F.col(c.EFFECTIVE_FROM).alias("_from")
    )
    covers = (F.col("_start") < F.col(FIRST)) & (
        F.col(c.END_SEQUENCE).isNull() | (F.col(c.END_SEQUENCE) >= F.col(FIRST))
    )
    joined = touched.join(starts, key, "left").withColumn("_covers", covers)
    lowest = F.min(F.when(F.col("_covers"), F.col("_start")))
    floor = F.min(F.when(F.col("_covers"), F.col("_from"))).alias(_KNOWN_FLOOR)
    return TouchedKeys(joined.groupBy(*key).agg(F.coalesce(lowest, F.min(FIRST)).alias(FIRST), floor))


def settle_versions(
    touched: TouchedKeys, log: LogRows, history: History, bounds: RangeBounds, table: Table
) -> HistoryChanges:
    """What `touched` keys' log rows change in `history`; both may be whole tables, the bounds prune them."""
    existing = _from_first_on(history.where(_reaches(bounds.min_sequence)), touched, table)
    events = _events(log, touched, existing, bounds, table)
    versions = derive_versions(events, table, may_inherit=bounds.log_has_partial)
    return _compare(versions, existing, table)


def count_actions() -> list[Column]:
    """Aggregates over HistoryChanges, named INSERT, UPDATE and DELETE."""
    actions = (_INSERT, _UPDATE, _DELETE)
    return [F.count(F.when(F.col(ACTION) == action, 1)).alias(action) for action in actions]


def _reaches(sequence: str) -> Column:
    """Versions open at a sequence or later: literals against the history's statistics, so closed files are skipped."""
    return F.col(c.END_SEQUENCE).isNull() | (F.col(c.END_SEQUENCE) >= sequence)


def _from_first_on(near: DataFrame, touched: TouchedKeys, table: Table) -> DataFrame:
    """The history's versions of the touched keys that may change, each key's base among them."""
    joined = near.join(F.broadcast(touched), list(table.primary_key))
    return joined.where(F.col(c.END_SEQUENCE).isNull() | (F.col(c.END_SEQUENCE) >= F.col(FIRST)))


def _events(log: LogRows, touched: TouchedKeys, existing: DataFrame, bounds: RangeBounds, table: Table) -> EventRows:
    """Log rows of the touched keys from FIRST on, and each key's base as an event, all with the key's floor time."""
    is_near = (F.col(c.SEQUENCE) >= bounds.min_sequence) | (F.col(c.COMMIT_TIME) > _min_commit(bounds))
    rows = log.where(is_near).select(*_event_names(table))
    events = rows.where(F.col(c.OPERATION) != c.TRUNCATE).join(F.broadcast(touched), list(table.primary_key))
    if bounds.log_has_truncate:
        events = events.unionByName(_truncates(rows, touched, table))
    candidates = _as_events(events).unionByName(_bases(existing, table))
    earlier = F.max(F.when(F.col(c.SEQUENCE) < F.col(FIRST), F.col(c.COMMIT_TIME)))
    floor = F.greatest(F.col(_KNOWN_FLOOR), earlier.over(Window.partitionBy(*table.primary_key)))
    is_taken = F.col(IS_BASE) | (F.col(c.SEQUENCE) >= F.col(FIRST))
    return EventRows(candidates.withColumn(FLOOR, floor).where(is_taken).drop(FIRST, _KNOWN_FLOOR))


def _min_commit(bounds: RangeBounds) -> Column:
    return F.timestamp_micros(F.lit(bounds.min_commit_micros))


def _event_names(table: Table) -> tuple[str, ...]:
    system = (c.SEQUENCE, c.OPERATION, c.COMMIT_TIME, c.IS_QUARANTINED, c.NOT_AUTHORED, c.PAYLOAD_HASH, c.INGESTED_AT)
    return (*table.column_names, *system)


def _truncates(rows: DataFrame, touched: TouchedKeys, table: Table) -> DataFrame:
    """Every truncate, told once for each touched key."""
    truncates = rows.where(F.col(c.OPERATION) == c.TRUNCATE).drop(*table.primary_key)
    return truncates.crossJoin(F.broadcast(touched))


def _as_events(events: DataFrame) -> DataFrame:
    return events.select(
        "*",
        F.lit(False).alias(IS_BASE),
        F.lit(None).cast("array<string>").alias(c.UNRESOLVED),
        F.lit(None).cast("string").alias(c.UNCERTAIN_SINCE),
    )


def _bases(existing: DataFrame, table: Table) -> DataFrame:
    """The version that covers FIRST, as the event that opens the derivation; its gap counts if it came before FIRST."""
    known_gap = F.when(F.col(c.UNCERTAIN_SINCE) < F.col(FIRST), F.col(c.UNCERTAIN_SINCE))
    return existing.where(F.col(c.SEQUENCE) < F.col(FIRST)).select(
        *table.column_names,
        c.SEQUENCE,
        c.OPERATION,
        F.col(c.EFFECTIVE_FROM).alias(c.COMMIT_TIME),
        F.lit(False).alias(c.IS_QUARANTINED),
        F.lit(None).cast("array<string>").alias(c.NOT_AUTHORED),
        F.lit(0).cast("bigint").alias(c.PAYLOAD_HASH),
        c.INGESTED_AT,
        FIRST,
        _KNOWN_FLOOR,
        F.lit(True).alias(IS_BASE),
        c.UNRESOLVED,
        known_gap.alias(c.UNCERTAIN_SINCE),
    )


def _compare(derived: History, existing: DataFrame, table: Table) -> HistoryChanges:
    """Derived against existing versions, matched by key and sequence; equal ones drop out."""
    names = derived.columns
    identity = (*table.primary_key, c.SEQUENCE)
    new, old = derived.alias(_DERIVED), existing.select(*names).alias(_EXISTING)
    same = [F.col(f"{_DERIVED}.{name}") == F.col(f"{_EXISTING}.{name}") for name in identity]
    joined = new.join(old, reduce(operator.and_, same), "full_outer")
    action = _action(identity[-1], [name for name in names if name not in (*identity, c.INGESTED_AT)])
    values = (_either(name).alias(name) for name in names)
    return HistoryChanges(joined.select(*values, action.alias(ACTION)).where(F.col(ACTION).isNotNull()))


def _action(sequence: str, compared: list[str]) -> Column:
    differs = [~F.col(f"{_DERIVED}.{name}").eqNullSafe(F.col(f"{_EXISTING}.{name}")) for name in compared]
    return (
        F.when(F.col(f"{_EXISTING}.{sequence}").isNull(), F.lit(_INSERT))
        .when(F.col(f"{_DERIVED}.{sequence}").isNull(), F.lit(_DELETE))
        .when(reduce(operator.or_, differs), F.lit(_UPDATE))
    )


def _either(name: str) -> Column:
    derived, existing = F.col(f"{_DERIVED}.{name}"), F.col(f"{_EXISTING}.{name}")
    return F.when(F.col(f"{_DERIVED}.{c.SEQUENCE}").isNotNull(), derived).otherwise(existing)
