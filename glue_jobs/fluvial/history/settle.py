"""`settle_versions`: folds a pinned range of log rows into the history, touching only what the range can change.

For each touched key the versions from its first new sequence on are derived again, out of the log rows from there on
and the one version that covers that point (the base). Comparing them with what the history holds gives the changes:
nothing where the range was settled before.
"""

import operator
from functools import reduce
from typing import Final, NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.epoch import reach_of
from fluvial.history.range_bounds import RangeBounds
from fluvial.history.versions import FLOOR, IS_BASE, IS_EARLIER, EventRows, derive_versions
from fluvial.streams import ACTION, FILE, History, HistoryChanges, LogRows

FIRST: Final = "_first_sequence"
"""Of a touched key: the lowest sequence from which its versions may change."""

_DERIVED: Final = "derived"
_EXISTING: Final = "existing"
_INSERT, _UPDATE, _DELETE = "INSERT", "UPDATE", "DELETE"

TouchedKeys = NewType("TouchedKeys", DataFrame)
"""Primary key, FIRST, and a floor of the effective time where one is known."""


def touched_keys(changes: LogRows, table: Table) -> TouchedKeys:
    """The keys of a range that has no keyless row, with their FIRST sequence."""
    own = _own_keys(changes, table)
    return TouchedKeys(own.where(F.col(FIRST).isNotNull()).select("*", _no_floor()))


def touched_from(changes: DataFrame, table: Table) -> TouchedKeys:
    """The same where nothing in the range is late: `changes` tell its lowest sequence as FIRST of each row."""
    keys = changes.where(~_is_keyless()).select(*table.primary_key, FIRST).distinct()
    return TouchedKeys(keys.select("*", _no_floor()))


def touched_by_all(changes: LogRows, changed: History, table: Table) -> TouchedKeys:
    """The same of a range that has one: it touches every key whose versions it can change, as `changed_by` finds."""
    key = list(table.primary_key)
    keyless = changes.where(_is_keyless()).agg(_first().alias("_keyless"))
    others = changed.select(*key).distinct().withColumn(FIRST, F.lit(None).cast("string"))
    keys = _own_keys(changes, table).unionByName(others).groupBy(*key).agg(F.min(FIRST).alias(FIRST))
    lowered = keys.crossJoin(F.broadcast(keyless)).withColumn(FIRST, F.least(FIRST, "_keyless"))
    # The batch's bounds tell of a keyless row even where the log knew it, so that the range holds none.
    return TouchedKeys(lowered.where(F.col(FIRST).isNotNull()).select(*key, FIRST, _no_floor()))


def _own_keys(changes: LogRows, table: Table) -> DataFrame:
    return changes.where(~_is_keyless()).groupBy(*table.primary_key).agg(_first().alias(FIRST))


def _first() -> Column:
    return F.min(reach_of(F.col(c.SEQUENCE)))


def _no_floor() -> Column:
    return F.lit(None).cast("timestamp").alias(FLOOR)


def lower_to_runs(touched: TouchedKeys, sent: TouchedKeys, near: History, table: Table) -> TouchedKeys:
    """For tables with `track_columns`: FIRST goes back to the start of the run of events that covers it.

    Such a version shows its newest untracked values, which are not those it had at FIRST. `sent` are `touched` as they
    are to be joined.
    """
    key = list(table.primary_key)
    covers = (F.col(c.SEQUENCE) < F.col(FIRST)) & _is_open_at_first()
    starts = (
        near.join(sent, key)
        .where(covers)
        .select(*key, F.col(c.SEQUENCE).alias(FIRST), F.col(c.EFFECTIVE_FROM).alias(FLOOR))
    )
    lowest = (F.min(name).alias(name) for name in (FIRST, FLOOR))
    return TouchedKeys(touched.unionByName(starts).groupBy(*key).agg(*lowest))


def settle_versions(
    touched: TouchedKeys, rows: LogRows, near: History, bounds: RangeBounds, table: Table, *, are_all_new: bool = False
) -> HistoryChanges:
    """What `touched` keys' near log rows change in near versions; `are_all_new` where these are the range alone.

    Of the bounds it only depends on whether keyless rows matter, and whether some row leaves a column unauthored.
    """
    existing = _from_first_on(near, touched, table)
    keyed = rows.select(*_event_names(table)).where(~_is_keyless())
    events = keyed.select("*", *_new()) if are_all_new else keyed.join(touched, list(table.primary_key))
    if bounds.has_near_keyless:
        events = events.unionByName(_keyless(rows, touched, table))
    events = _event_rows(events, existing, table)
    return _compare(derive_versions(events, table, may_inherit=bounds.log_has_partial), existing, table)


def count_actions() -> list[Column]:
    """Aggregates over HistoryChanges, named INSERT, UPDATE and DELETE."""
    actions = (_INSERT, _UPDATE, _DELETE)
    return [F.count(F.when(F.col(ACTION) == action, 1)).alias(action) for action in actions]


def touched_files() -> Column:
    """Aggregate over HistoryChanges: the names of the files that hold a version to change, joined by commas."""
    return F.array_join(F.collect_set(FILE), ",").alias("files")


def _is_keyless() -> Column:
    return F.col(c.OPERATION).isin(*c.KEYLESS)


def _from_first_on(near: DataFrame, touched: TouchedKeys, table: Table) -> DataFrame:
    """The history's versions of the touched keys that may change, each key's base among them."""
    return near.join(touched, list(table.primary_key)).where(_is_open_at_first())


def _is_open_at_first() -> Column:
    return F.col(c.END_SEQUENCE).isNull() | (F.col(c.END_SEQUENCE) >= F.col(FIRST))


def _new() -> tuple[Column, Column]:
    """What `touched` would tell of a row of the range: each is behind its key's FIRST, however low that is."""
    return F.lit("").alias(FIRST), _no_floor()


def _event_rows(events: DataFrame, existing: DataFrame, table: Table) -> EventRows:
    """Such events and, for each key, its base as one."""
    candidates = _as_events(events).unionByName(_bases(existing, table))
    is_earlier = ~F.col(IS_BASE) & (F.col(c.SEQUENCE) < F.col(FIRST))
    return EventRows(candidates.withColumn(IS_EARLIER, is_earlier).drop(FIRST))


def _event_names(table: Table) -> tuple[str, ...]:
    return (*table.column_names, *c.DECIDING)


def _keyless(rows: DataFrame, touched: TouchedKeys, table: Table) -> DataFrame:
    """Every truncate and snapshot boundary, told once for each touched key."""
    keyless = rows.select(*_event_names(table)).where(_is_keyless()).drop(*table.primary_key)
    return touched.crossJoin(F.broadcast(keyless))


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
        FLOOR,
        F.lit(True).alias(IS_BASE),
        c.UNRESOLVED,
        known_gap.alias(c.UNCERTAIN_SINCE),
    )


def _compare(derived: History, existing: DataFrame, table: Table) -> HistoryChanges:
    """Derived against existing versions, matched by key and sequence; equal ones drop out."""
    names = derived.columns
    identity = (*table.primary_key, c.SEQUENCE)
    places = [FILE] if FILE in existing.columns else []
    new, old = derived.alias(_DERIVED), existing.select(*names, *places).alias(_EXISTING)
    same = [F.col(f"{_DERIVED}.{name}") == F.col(f"{_EXISTING}.{name}") for name in identity]
    joined = new.join(old, reduce(operator.and_, same), "full_outer")
    action = _action(identity[-1], [name for name in names if name not in (*identity, c.INGESTED_AT)])
    values = (_either(name).alias(name) for name in names)
    return HistoryChanges(joined.select(*values, *places, action.alias(ACTION)).where(F.col(ACTION).isNotNull()))


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
