"""`derive_versions`: the versions that a set of events makes, one window pass over each key's events in sequence.

Input rows are EventRows: log rows of the touched keys from `first_sequence` on, keyless ones repeated for each key, and
for each key at most one base: the version that covers `first_sequence`, told as an event.
"""

import operator
from functools import reduce
from typing import Final, NewType

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.epoch import epoch_start
from fluvial.streams import History

EventRows = NewType("EventRows", DataFrame)
"""Business columns, `_sequence _operation _commit_time _is_quarantined _not_authored_columns _payload_hash
_ingested_at`, and BASE, FLOOR, UNRESOLVED, UNCERTAIN_SINCE, END_SEQUENCE (NULL but for a base; FLOOR for all)."""

IS_BASE: Final = "_is_base"
FLOOR: Final = "_floor_time"

_BEFORE: Final = "_before"
_LIFE: Final = "_life"
_EFFECTIVE: Final = "_effective"
_IS_UPSERT: Final = "_is_upsert"
_OPENS: Final = "_opens"
_RUN: Final = "_run"
_CLOSED: Final = "_closed"
_PRESENT: Final = "_value"


def derive_versions(events: EventRows, table: Table, *, may_inherit: bool) -> History:
    """Every version the events make, with its base; deterministic for ties, independent of arrival order.

    `may_inherit` is false where no event leaves a column unauthored.
    """
    alive = _lives(_winners(_timed(_with_rivals(events, table), table)), table)
    runs = _runs(_resolve(alive, table) if may_inherit else alive, table)
    return History(_versions(_collapse(runs, table), table))


def _in_sequence(table: Table, *more: str) -> WindowSpec:
    return Window.partitionBy(*table.primary_key, *more).orderBy(c.SEQUENCE)


def _so_far(table: Table, *more: str) -> WindowSpec:
    return _in_sequence(table, *more).rowsBetween(Window.unboundedPreceding, Window.currentRow)


def _with_rivals(events: EventRows, table: Table) -> DataFrame:
    """Adds the sequence of the event before, events of one sequence in the order in which they win.

    A valid one wins over a gap marker, then a delete, then the payload hash tells. A snapshot boundary counts only for
    keys that have no row in its snapshot. All windows that follow find the rows in order: a sort costs as much as they.
    """
    best_first = (
        F.col(IS_BASE).desc(),
        F.col(c.OPERATION) == c.SNAPSHOT,
        F.col(c.IS_QUARANTINED),
        _is_closer().desc(),
        F.col(c.PAYLOAD_HASH).desc(),
        F.col(c.OPERATION).desc(),
    )
    in_order = Window.partitionBy(*table.primary_key).orderBy(c.SEQUENCE, *best_first)
    return events.withColumn(_BEFORE, F.lag(c.SEQUENCE).over(in_order))


def _timed(events: DataFrame, table: Table) -> DataFrame:
    """Adds the effective time: the latest commit time up to the event's sequence, whoever wins a tie there."""
    up_to = _in_sequence(table).rangeBetween(Window.unboundedPreceding, Window.currentRow)
    running = F.greatest(F.max(c.COMMIT_TIME).over(up_to), F.col(FLOOR))
    return events.withColumn(_EFFECTIVE, F.when(F.col(IS_BASE), F.col(c.COMMIT_TIME)).otherwise(running))


def _winners(events: DataFrame) -> DataFrame:
    """One event for each (key, sequence)."""
    return events.where(~F.col(_BEFORE).eqNullSafe(F.col(c.SEQUENCE))).drop(_BEFORE)


def _is_closer() -> Column:
    return F.col(c.OPERATION).isin(c.DELETE, *c.KEYLESS)


def _lives(events: DataFrame, table: Table) -> DataFrame:
    """Adds the life: what unchanged columns may inherit within ends at a delete, a truncate and a gap marker."""
    starts = (F.col(c.IS_QUARANTINED) | _is_closer()).cast("int")
    ends = (F.col(IS_BASE) & F.col(c.UNCERTAIN_SINCE).isNotNull()).cast("int")
    before = _in_sequence(table).rowsBetween(Window.unboundedPreceding, -1)
    life = F.sum(starts).over(_so_far(table)) + F.coalesce(F.sum(ends).over(before), F.lit(0))
    return events.select("*", life.alias(_LIFE), _upserts().alias(_IS_UPSERT))


def _upserts() -> Column:
    return ~F.col(c.IS_QUARANTINED) & ~_is_closer()


def _resolve(events: DataFrame, table: Table) -> DataFrame:
    """Columns an event doesn't author take the last authored value of the same life."""
    so_far = _so_far(table, _LIFE)

    def authored(name: str) -> Column:
        return F.col(_IS_UPSERT) & ~F.coalesce(F.array_contains(c.NOT_AUTHORED, name), F.lit(False))

    def last(name: str) -> Column:
        known = F.struct(F.col(name).alias(_PRESENT), _was_unresolved(name).alias("unresolved"))
        return F.last(F.when(authored(name), known), ignorenulls=True).over(so_far)

    values = {name: last(name) for name in table.value_columns}
    packed = events.select("*", *(value.alias(f"_last_{name}") for name, value in values.items()))
    return packed.select(
        *(name for name in events.columns if name not in values and name != c.UNRESOLVED),
        *(F.col(f"_last_{name}")[_PRESENT].alias(name) for name in values),
        _unresolved(tuple(values)).alias(c.UNRESOLVED),
    )


def _was_unresolved(name: str) -> Column:
    """Whether the base couldn't resolve the column either."""
    return F.coalesce(F.array_contains(c.UNRESOLVED, name), F.lit(False))


def _unresolved(names: tuple[str, ...]) -> Column:
    """Columns that an event left out and that nothing in its life tells; NULL where every one is known."""

    def is_unresolved(name: str) -> Column:
        last = F.col(f"_last_{name}")
        return last.isNull() | last["unresolved"]

    conditions = [F.col(_IS_UPSERT) & is_unresolved(name) for name in names]
    some = reduce(operator.or_, conditions, F.lit(False))
    listed = F.array(*(F.when(condition, F.lit(name)) for condition, name in zip(conditions, names, strict=True)))
    return F.when(some, F.array_compact(listed)).cast("array<string>")


def _runs(events: DataFrame, table: Table) -> DataFrame:
    """Marks the events that open a version: an upsert, unless it only repeats what its life already shows."""
    tracked = table.track_columns or (*table.value_columns, c.UNRESOLVED)
    may_repeat = F.lit(True) if table.track_columns else F.col(c.OPERATION) == c.READ
    before = _in_sequence(table)
    previous, life = F.lag(F.struct(*tracked)).over(before), F.lag(_LIFE).over(before)
    had_one = F.coalesce(F.lag(_IS_UPSERT).over(before) & (life == F.col(_LIFE)), F.lit(False))
    repeats = may_repeat & had_one & previous.eqNullSafe(F.struct(*tracked))
    marked = events.withColumn(_OPENS, F.col(_IS_UPSERT) & ~repeats)
    return marked.withColumn(_RUN, F.sum(F.col(_OPENS).cast("int")).over(_so_far(table)))


def _collapse(events: DataFrame, table: Table) -> DataFrame:
    """Only openers and closers stay; an opener learns of the first gap before its end, and its run's newest values."""
    run = _in_sequence(table, _RUN, _CLOSED).rowsBetween(Window.currentRow, Window.unboundedFollowing)
    gap = F.min(F.when(F.col(c.IS_QUARANTINED), F.col(c.SEQUENCE))).over(run)
    since = F.coalesce(F.when(F.col(IS_BASE), F.col(c.UNCERTAIN_SINCE)), gap)
    closed = events.withColumn(_CLOSED, F.sum(_is_closer().cast("int")).over(_so_far(table)))
    known = closed.withColumn(c.UNCERTAIN_SINCE, since)
    newest = _newest_values(known, table, run) if table.track_columns else known
    return newest.where(F.col(_OPENS) | _is_closer())


def _newest_values(events: DataFrame, table: Table, run: WindowSpec) -> DataFrame:
    """Untracked columns show the newest value of the version's run."""
    names = [name for name in table.value_columns if name not in table.track_columns]
    shown = (*names, c.UNRESOLVED)
    last = F.last(F.when(F.col(_IS_UPSERT), F.struct(*shown)), ignorenulls=True).over(run)
    packed = events.withColumn("_newest", last)
    kept = (name for name in events.columns if name not in shown)
    return packed.select(*kept, *(F.col("_newest")[name].alias(name) for name in shown))


def _versions(boundaries: DataFrame, table: Table) -> DataFrame:
    """Each opener ends where the next opener or closer begins."""
    following = _in_sequence(table)
    ended = boundaries.select(
        "*",
        F.lead(c.SEQUENCE).over(following).alias("_next_sequence"),
        F.lead(_EFFECTIVE).over(following).alias("_next_effective"),
        F.lead(c.OPERATION).over(following).alias("_next_operation"),
    )
    return ended.where(_OPENS).select(
        *table.column_names,
        c.SEQUENCE,
        c.OPERATION,
        F.col(_EFFECTIVE).alias(c.EFFECTIVE_FROM),
        F.col("_next_effective").alias(c.EFFECTIVE_TO),
        F.col("_next_sequence").isNull().alias(c.IS_CURRENT),
        F.col("_next_sequence").alias(c.END_SEQUENCE),
        _uncertain_since().alias(c.UNCERTAIN_SINCE),
        c.UNRESOLVED,
        c.INGESTED_AT,
    )


def _uncertain_since() -> Column:
    """The first gap marker; of an inferred delete no later than the epoch's start: it fell between that and the end."""
    begin = F.greatest(F.col(c.SEQUENCE), epoch_start(F.col("_next_sequence")))
    inferred = F.when(F.col("_next_operation") == c.SNAPSHOT, begin)
    return F.least(F.col(c.UNCERTAIN_SINCE), inferred)
