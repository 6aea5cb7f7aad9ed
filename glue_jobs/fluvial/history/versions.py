"""`derive_versions`: the versions that a set of events makes, in one order of each key's events, which is sorted once.

Input rows are EventRows: log rows of the touched keys, keyless ones repeated for each key, and for each key at most one
base: the version that covers the first sequence that counts, told as an event.
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
_ingested_at`, and IS_BASE, IS_EARLIER, FLOOR, UNRESOLVED, UNCERTAIN_SINCE (NULL but for a base; FLOOR for all).

A row that IS_EARLIER than what counts makes no version: only its commit time matters to those that follow."""

IS_BASE: Final = "_is_base"
IS_EARLIER: Final = "_is_earlier"
FLOOR: Final = "_floor_time"

_AFTER: Final = "_after"
_RUNNING: Final = "_running"
_LIFE: Final = "_life"
_EFFECTIVE: Final = "_effective"
_REPEATS: Final = "_repeats"
_FOLLOWS_GAP: Final = "_follows_gap"
_OPENS: Final = "_opens"
_STRETCH: Final = "_stretch"
_END: Final = "_end"
_GAP: Final = "_gap"
_PRESENT: Final = "_value"
_UNRESOLVED: Final = "unresolved"


def derive_versions(events: EventRows, table: Table, *, may_inherit: bool) -> History:
    """Every version the events make, with its base; deterministic for ties, independent of arrival order.

    `may_inherit` is false where no event leaves a column unauthored.
    """
    winners = _winners(events, table)
    runs = _runs(_resolve(_lives(winners, table), table) if may_inherit else winners, table)
    return History(_versions(_boundaries(runs, table), table))


def _in_sequence(table: Table) -> WindowSpec:
    return Window.partitionBy(*table.primary_key).orderBy(c.SEQUENCE)


def _so_far(window: WindowSpec) -> WindowSpec:
    return window.rowsBetween(Window.unboundedPreceding, Window.currentRow)


def _winners(events: EventRows, table: Table) -> DataFrame:
    """One event for each (key, sequence), with its effective time: the latest commit time up to it, of losers too.

    All windows that follow find the rows in order: a sort costs as much as they.
    """
    in_order = Window.partitionBy(*table.primary_key).orderBy(c.SEQUENCE, *_winner_last())
    after, running = F.lead(c.SEQUENCE).over(in_order), F.max(c.COMMIT_TIME).over(_so_far(in_order))
    placed = events.select("*", after.alias(_AFTER), running.alias(_RUNNING))
    is_winner = ~F.col(_AFTER).eqNullSafe(F.col(c.SEQUENCE)) & ~F.col(IS_EARLIER)
    effective = F.when(F.col(IS_BASE), F.col(c.COMMIT_TIME)).otherwise(F.greatest(_RUNNING, FLOOR))
    return placed.where(is_winner).withColumn(_EFFECTIVE, effective).drop(_AFTER, _RUNNING, IS_EARLIER, FLOOR)


def _winner_last() -> tuple[Column, ...]:
    """The order of events of one sequence: a base wins, then a valid one, then a delete, then the payload hash tells.

    A snapshot boundary counts only for keys that have no row in its snapshot.
    """
    return (
        F.col(IS_BASE),
        (F.col(c.OPERATION) == c.SNAPSHOT).desc(),
        F.col(c.IS_QUARANTINED).desc(),
        _is_closer(),
        F.col(c.PAYLOAD_HASH),
        F.col(c.OPERATION),
    )


def _is_closer() -> Column:
    return F.col(c.OPERATION).isin(c.DELETE, *c.KEYLESS)


def _is_upsert() -> Column:
    return ~F.col(c.IS_QUARANTINED) & ~_is_closer()


def _ends_life() -> Column:
    """Of a base with a gap: what follows inherits nothing of it."""
    return F.col(IS_BASE) & F.col(c.UNCERTAIN_SINCE).isNotNull()


def _lives(events: DataFrame, table: Table) -> DataFrame:
    """Adds the life: what unchanged columns may inherit within ends at a delete, a truncate and a gap marker."""
    window = _in_sequence(table)
    before = window.rowsBetween(Window.unboundedPreceding, -1)
    starts, ends = (~_is_upsert()).cast("int"), _ends_life().cast("int")
    life = F.sum(starts).over(_so_far(window)) + F.coalesce(F.sum(ends).over(before), F.lit(0))
    return events.withColumn(_LIFE, life)


def _resolve(events: DataFrame, table: Table) -> DataFrame:
    """Columns an event doesn't author take the last authored value of the same life."""
    so_far = _so_far(_in_sequence(table))

    def authored(name: str) -> Column:
        return _is_upsert() & ~F.coalesce(F.array_contains(c.NOT_AUTHORED, name), F.lit(False))

    def last(name: str) -> Column:
        known = F.struct(F.col(name).alias(_PRESENT), _was_unresolved(name).alias(_UNRESOLVED), F.col(_LIFE))
        return F.last(F.when(authored(name), known), ignorenulls=True).over(so_far)

    names = table.value_columns
    packed = events.select("*", *(last(name).alias(_last(name)) for name in names))
    return packed.select(
        *(name for name in events.columns if name not in names and name not in (c.UNRESOLVED, _LIFE)),
        *(F.when(_is_of_this_life(name), F.col(_last(name))[_PRESENT]).alias(name) for name in names),
        _unresolved(names).alias(c.UNRESOLVED),
    )


def _last(name: str) -> str:
    return f"_last_{name}"


def _is_of_this_life(name: str) -> Column:
    """False where nothing tells the column yet."""
    return F.col(_last(name))[_LIFE].eqNullSafe(F.col(_LIFE))


def _was_unresolved(name: str) -> Column:
    """Whether the base couldn't resolve the column either."""
    return F.coalesce(F.array_contains(c.UNRESOLVED, name), F.lit(False))


def _unresolved(names: tuple[str, ...]) -> Column:
    """Columns that an event left out and that nothing in its life tells; NULL where every one is known."""
    conditions = [_is_upsert() & (~_is_of_this_life(name) | F.col(_last(name))[_UNRESOLVED]) for name in names]
    some = reduce(operator.or_, conditions, F.lit(False))
    listed = F.array(*(F.when(condition, F.lit(name)) for condition, name in zip(conditions, names, strict=True)))
    return F.when(some, F.array_compact(listed)).cast("array<string>")


def _runs(events: DataFrame, table: Table) -> DataFrame:
    """Marks the events that open a version: an upsert, unless it repeats what the upsert right before it shows.

    Behind a closer, a gap marker and a base with a gap another life begins, so nothing there is repeated.
    """
    before = _in_sequence(table)
    shown = F.struct(*(table.track_columns or (*table.value_columns, c.UNRESOLVED)))
    previous = F.lag(F.when(_is_upsert() & ~_ends_life(), shown)).over(before)
    may_repeat = F.lit(True) if table.track_columns else F.col(c.OPERATION) == c.READ
    repeats = (may_repeat & previous.eqNullSafe(shown)).alias(_REPEATS)
    follows_gap = F.coalesce(F.lag(c.IS_QUARANTINED).over(before), F.lit(False)).alias(_FOLLOWS_GAP)
    return events.select("*", repeats, follows_gap).withColumn(_OPENS, _is_upsert() & ~F.col(_REPEATS))


def _boundaries(runs: DataFrame, table: Table) -> DataFrame:
    """Openers, closers and the first of gap markers in a row: an upsert behind one opens a version whatever it has."""
    newest = _newest_values(runs, table) if table.track_columns else runs
    return newest.where(F.col(_OPENS) | _is_closer() | (F.col(c.IS_QUARANTINED) & ~F.col(_FOLLOWS_GAP)))


def _newest_values(runs: DataFrame, table: Table) -> DataFrame:
    """Of an opener the newest values that the upserts of its run show in untracked columns."""
    begins = (F.col(_OPENS) | _is_closer()).cast("int")
    stretches = runs.withColumn(_STRETCH, F.sum(begins).over(_so_far(_in_sequence(table))))
    whole = Window.partitionBy(*table.primary_key, _STRETCH).orderBy(c.SEQUENCE)
    whole = whole.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    names = [name for name in table.value_columns if name not in table.track_columns]
    shown = (*names, c.UNRESOLVED)
    last = F.last(F.when(_is_upsert(), F.struct(*shown)), ignorenulls=True).over(whole)
    packed = stretches.withColumn("_newest", last)
    kept = (name for name in runs.columns if name not in shown)
    return packed.select(*kept, *(F.col("_newest")[name].alias(name) for name in shown))


def _versions(boundaries: DataFrame, table: Table) -> DataFrame:
    """Each opener ends where the next opener or closer begins; between them is a gap marker or nothing."""
    following = _in_sequence(table)
    boundary = F.struct(c.SEQUENCE, _EFFECTIVE, c.OPERATION, c.IS_QUARANTINED)
    ends = [F.lead(boundary, distance).over(following).alias(f"_next_{distance}") for distance in (1, 2)]
    has_gap = F.coalesce(F.col("_next_1")[c.IS_QUARANTINED], F.lit(False))
    end = F.when(has_gap, F.col("_next_2")).otherwise(F.col("_next_1"))
    gap = F.when(has_gap, F.col("_next_1")[c.SEQUENCE])
    ended = boundaries.select("*", *ends).where(_OPENS).select("*", end.alias(_END), gap.alias(_GAP))
    return ended.select(
        *table.column_names,
        c.SEQUENCE,
        c.OPERATION,
        F.col(_EFFECTIVE).alias(c.EFFECTIVE_FROM),
        F.col(_END)[_EFFECTIVE].alias(c.EFFECTIVE_TO),
        F.col(_END).isNull().alias(c.IS_CURRENT),
        F.col(_END)[c.SEQUENCE].alias(c.END_SEQUENCE),
        _uncertain_since().alias(c.UNCERTAIN_SINCE),
        c.UNRESOLVED,
        c.INGESTED_AT,
    )


def _uncertain_since() -> Column:
    """The first gap marker; of an inferred delete no later than the epoch's start: it fell between that and the end."""
    begin = F.greatest(F.col(c.SEQUENCE), epoch_start(F.col(_END)[c.SEQUENCE]))
    inferred = F.when(F.col(_END)[c.OPERATION] == c.SNAPSHOT, begin)
    known = F.coalesce(F.when(F.col(IS_BASE), F.col(c.UNCERTAIN_SINCE)), F.col(_GAP))
    return F.least(known, inferred)
