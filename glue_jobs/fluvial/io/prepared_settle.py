"""The settle step of one table, planned once for all ranges of the log that need the same plan."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.history.range_bounds import RangeBounds, changed_by
from fluvial.history.settle import (
    FIRST,
    TouchedKeys,
    lower_to_runs,
    settle_versions,
    touched_by_all,
    touched_from,
    touched_keys,
)
from fluvial.io.planned_steps import PlannedSteps
from fluvial.streams import History, HistoryChanges, LogRows


@dataclass
class PreparedSettle:
    """The steps of `history.settle`. What bounds a range is a filter on what goes in, so that the plan lacks it."""

    session: SparkSession
    table: Table
    _plans: dict[tuple[object, ...], PlannedSteps] = field(default_factory=dict, init=False)

    def changes(self, fresh: LogRows, rows: LogRows, near: History, bounds: RangeBounds) -> HistoryChanges:
        """What a range of fresh rows changes, by the near rows and versions."""

        def steps(rows: DataFrame, near: DataFrame, *touching: DataFrame) -> DataFrame:
            return self._versions(self._touched(*touching), rows, near, bounds)

        shape = ("changes", bounds.keyless is None, *_shape(bounds))
        return HistoryChanges(self._plan(shape, steps).over(rows, near, fresh, *_changed(near, bounds)))

    def changes_of_new(self, fresh: LogRows, near: History, bounds: RangeBounds) -> HistoryChanges:
        """The same where nothing in the range is late: no other rows matter, and its first sequence does for all."""

        def steps(fresh: DataFrame, near: DataFrame, *changed: DataFrame) -> DataFrame:
            touched = self._touched(fresh, *changed) if changed else touched_from(fresh, self.table)
            return self._versions(touched, fresh, near, bounds, are_all_new=True)

        shape = ("changes of new", bounds.keyless is None, *_shape(bounds))
        rows = LogRows(fresh.withColumn(FIRST, F.lit(bounds.min_sequence)))
        return HistoryChanges(self._plan(shape, steps).over(rows, near, *_changed(near, bounds)))

    def touched_runs(self, fresh: LogRows, near: History, bounds: RangeBounds) -> TouchedKeys:
        """The keys that a range touches, each with FIRST at the start of a run of events."""

        def steps(near: DataFrame, *touching: DataFrame) -> DataFrame:
            touched = self._touched(*touching)
            return lower_to_runs(touched, _sent(touched, bounds), History(near), self.table)

        plan = self._plan(("runs", bounds.keyless is None, bounds.touches_many), steps)
        return TouchedKeys(plan.over(near, fresh, *_changed(near, bounds)))

    def changes_of_runs(
        self, touched: TouchedKeys, rows: LogRows, near: History, bounds: RangeBounds
    ) -> HistoryChanges:
        """What changes of such keys."""

        def steps(rows: DataFrame, near: DataFrame, touched: DataFrame) -> DataFrame:
            return self._versions(TouchedKeys(touched), rows, near, bounds)

        return HistoryChanges(self._plan(("changes of runs", *_shape(bounds)), steps).over(rows, near, touched))

    def _touched(self, fresh: DataFrame, *changed: DataFrame) -> TouchedKeys:
        if changed:
            return touched_by_all(LogRows(fresh), History(*changed), self.table)
        return touched_keys(LogRows(fresh), self.table)

    def _versions(
        self,
        touched: TouchedKeys,
        rows: DataFrame,
        near: DataFrame,
        bounds: RangeBounds,
        *,
        are_all_new: bool = False,
    ) -> HistoryChanges:
        sent = _sent(touched, bounds)
        return settle_versions(sent, LogRows(rows), History(near), bounds, self.table, are_all_new=are_all_new)

    def _plan(self, shape: tuple[object, ...], steps: Callable[..., DataFrame]) -> PlannedSteps:
        return self._plans.setdefault(shape, PlannedSteps(self.session, steps))


def _sent(touched: TouchedKeys, bounds: RangeBounds) -> TouchedKeys:
    """The keys as they are to be joined: sent to each task unless they are many."""
    return touched if bounds.touches_many else TouchedKeys(F.broadcast(touched))


def _shape(bounds: RangeBounds) -> tuple[bool, ...]:
    """What the versions' plan depends on."""
    return bounds.touches_many, bounds.has_near_keyless, bounds.log_has_partial


def _changed(near: History, bounds: RangeBounds) -> tuple[History, ...]:
    """The versions that keyless rows of the range touch besides those of its keys; none where it has no such row."""
    return () if bounds.keyless is None else (changed_by(near, bounds.keyless),)
