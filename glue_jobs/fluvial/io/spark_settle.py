"""The settle step of one table by Spark, for ranges of any size."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.range_bounds import RangeBounds
from fluvial.history.settle import FIRST, TouchedKeys, count_actions, touched_files
from fluvial.io import delta
from fluvial.io.delta_rewrite import FoundChanges, Rewrite, find_changes
from fluvial.io.history_layout import in_order
from fluvial.io.log_range import Folded, LogRange
from fluvial.io.log_reader import LogReader
from fluvial.io.near_history import NearHistory
from fluvial.io.observed import Aggregates
from fluvial.io.prepared_settle import PreparedSettle
from fluvial.io.rewritten_rows import RewrittenRows
from fluvial.io.session import MOST_BROADCAST, SMALL_BATCH, suit_batch_size
from fluvial.streams import ACTION, FILE, History, HistoryChanges


@dataclass
class SparkSettle:
    """Folds ranges of the log into the history at `path`."""

    session: SparkSession
    table: Table
    path: str
    log_reader: LogReader
    near: NearHistory
    most_broadcast: int = MOST_BROADCAST
    _steps: PreparedSettle = field(init=False)

    def __post_init__(self) -> None:
        self._steps = PreparedSettle(self.session, self.table)
        self._rewritten = RewrittenRows(self.session, (*self.table.primary_key, c.SEQUENCE))

    @cached_property
    def _counts(self) -> Aggregates:
        return Aggregates([*count_actions(), touched_files()])

    def fold(self, rewrite: Rewrite | None, given: LogRange, note: str) -> Folded:
        """One commit, if anything changes or there is a history whose commit can say that nothing did."""
        wanted = self._wanted(rewrite, given)
        found = None if wanted is None else find_changes(wanted, self._counts)
        if found is not None and found.count:
            return self._write(rewrite, found, note)
        return Folded(0, None if rewrite is None else rewrite.commit_note(note))

    def _wanted(self, rewrite: Rewrite | None, given: LogRange) -> HistoryChanges | None:
        """What the range changes; None where it touches no key at all."""
        history = self.near.read(rewrite, given.bounds)
        if rewrite is not None and rewrite.reads_at_least(SMALL_BATCH):
            suit_batch_size(self.session, SMALL_BATCH)
        bounds = replace(given.bounds, touches_many=self._touches_many(rewrite, given))
        if not self.table.track_columns:
            return self._changes(given, history, bounds)
        touched = TouchedKeys(self._steps.touched_runs(given.added.rows, history, bounds).localCheckpoint())
        first = touched.agg(F.min(FIRST)).collect()[0][0]
        if first is None:
            return None
        bounds = replace(bounds, min_sequence=first)
        history = self.near.read(rewrite, bounds)
        rows = given.added.rows if given.is_all_new(bounds) else self.log_reader.near(given.log, bounds)
        return self._steps.changes_of_runs(touched, rows, history, bounds)

    def _touches_many(self, rewrite: Rewrite | None, given: LogRange) -> bool:
        """A row that waits touches one key; a keyless one each that has a near version."""
        if given.count is None or given.count > self.most_broadcast:
            return True
        return given.bounds.keyless is not None and rewrite is not None and rewrite.reads_at_least(self.most_broadcast)

    def _changes(self, given: LogRange, history: History, bounds: RangeBounds) -> HistoryChanges:
        """Where nothing in the range is late, it is all that is read of the log."""
        fresh = given.added.rows
        if given.is_all_new(bounds):
            return self._steps.changes_of_new(fresh, history, bounds)
        return self._steps.changes(fresh, self.log_reader.near(given.log, bounds), history, bounds)

    def _write(self, rewrite: Rewrite | None, found: FoundChanges, note: str) -> Folded:
        if rewrite is None:
            self._create(found.changes.drop(ACTION, FILE), note)
            return Folded(found.count, None)
        return Folded(found.count, rewrite.commit(found, self._rewritten, note), found.files)

    def _create(self, versions: DataFrame, note: str) -> None:
        delta.append(
            in_order(versions),
            self.path,
            partition_by=(c.IS_CURRENT,),
            properties=delta.history_properties(self.table),
            note=note,
        )
