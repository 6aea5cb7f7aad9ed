"""The settle step of one table: takes the log versions not yet settled and folds them in by one commit."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import structlog
from pyspark.sql import SparkSession

from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.config.settle import SettlePolicy
from fluvial.history.due import is_due
from fluvial.history.epoch import reach_of_text
from fluvial.history.key_range import ANY_KEY
from fluvial.history.range_bounds import RangeBounds
from fluvial.io import delta
from fluvial.io.arrow_files import UnsuitedError
from fluvial.io.commits import Settled
from fluvial.io.delta_rewrite import Rewrite
from fluvial.io.driver_settle import DriverLimits, DriverSettle
from fluvial.io.log_bounds import NOTHING, Grown, LogTraits, Reach, earliest_commit, measure_range, read_traits
from fluvial.io.log_range import Folded, LogRange
from fluvial.io.log_reader import AddedRows, LogReader, as_log_rows
from fluvial.io.near_history import NearHistory
from fluvial.io.schemas import empty_frame, history_schema
from fluvial.io.session import MOST_BROADCAST, SMALL_BATCH, suit_batch_size
from fluvial.io.settle_watch import SettleWatch
from fluvial.io.spark_settle import SparkSettle
from fluvial.streams import BatchSummary, LogRows

_PAUSE: Final = timedelta(seconds=30)
_log = structlog.get_logger()


@dataclass
class HistoryWriter:
    """Settles one table. Works in a session of its own, because a commit's note is a session setting."""

    parent: SparkSession
    table: Table
    locations: TableLocations
    most_broadcast: int = MOST_BROADCAST
    driver_limits: DriverLimits = field(default_factory=DriverLimits)
    _traits: LogTraits | None = field(default=None, init=False)
    _reach: Reach | None = field(default=None, init=False)
    _folded: int | None = field(default=None, init=False)
    _grown: Grown = field(default=NOTHING, init=False)
    _has_looked: bool = field(default=False, init=False)
    _not_before: datetime | None = field(default=None, init=False)
    _has_columns: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.session = self.parent.newSession()
        self.table = self.table.lake
        self._near = NearHistory(self.session, self.table)
        self._log_reader = LogReader(self.session, self.table, self.locations.log)

    @cached_property
    def watch(self) -> SettleWatch:
        """What is settled, what waits, and whether somebody else changed something."""
        return SettleWatch(self.session, self.table, self.locations)

    @cached_property
    def _by_spark(self) -> SparkSettle:
        given = (self.locations.history, self._log_reader, self._near, self.most_broadcast)
        return SparkSettle(self.session, self.table, *given)

    @cached_property
    def _on_driver(self) -> DriverSettle:
        given = (self.locations, self._log_reader, self._near, self.driver_limits)
        return DriverSettle(self.session, self.table, *given)

    def look_ahead(self, policy: SettlePolicy, rows: int, now: datetime, log: delta.Snapshot | None) -> None:
        """Before so many rows are logged: looks at the log, and at the history where it will be due with them.

        What a stranger did to a table is undone more easily while it is the newest. `log` is the snapshot that the rows
        were staged on, if they are.
        """
        waiting = self.watch.waiting
        behind = replace(waiting, versions=waiting.versions + 1, rows=waiting.rows + rows)
        if is_due(policy, behind, now):
            self.watch.look(log)
        else:
            self.watch.look_at_log(log)

    def log_grew(self, summary: BatchSummary, version: int | None) -> None:
        """Tells that this process appended one log version with these bounds, and its number where it is known."""
        self._grown = self._grown.with_batch(summary)
        self.look_again()
        self._has_looked = version is not None and self.watch.follow_own(version)
        if self._traits is not None:
            self._traits = self._traits.with_batch(summary)

    def look_again(self) -> None:
        """Tells that the next `settle_due` must look at log and history, however the last one ended."""
        self._has_looked, self._not_before = False, None

    def settle_due(self, policy: SettlePolicy, now: datetime) -> int:
        """Settles if the policy says so; where nothing is due, and nothing was appended, that costs nothing."""
        if self._not_before is not None and now < self._not_before:
            return 0
        self._not_before = now + _PAUSE  # an idle table is asked several times a second: no failure is told each time
        if not self._has_looked:
            self.watch.look()
        changed = self._settle_fresh(policy, now)
        self._has_looked, self._not_before = True, None
        return changed

    def _settle_fresh(self, policy: SettlePolicy, now: datetime) -> int:
        if not is_due(policy, self.watch.waiting, now):
            return 0
        return self.settle() if self._has_looked else self._settle()

    def settle(self) -> int:
        """Folds every unsettled log version in; returns how many versions of rows changed.

        A crash before or after the commit leaves nothing to mend: the next settle finds what is missing, or nothing.
        """
        self.watch.look()
        return self._settle()

    def _settle(self) -> int:
        watch = self.watch
        if watch.waiting.versions:
            self._add_new_columns()
        log, settled = watch.log, watch.settled
        if log is None or settled is None or not watch.waiting.versions:
            return 0
        if settled != self._folded:
            self._forget()
        suit_batch_size(self.session, watch.waiting.rows if watch.waiting.is_known else SMALL_BATCH)
        added = self._range(log, settled + 1)
        bounds = self._bounds(added)
        count = watch.waiting.rows if watch.waiting.is_known else None
        changed = 0 if bounds is None else self._fold(LogRange(log, added, count, bounds, self._reach))
        watch.fold_to(log.version)
        self._grown, self._folded = NOTHING, log.version
        self._reach = self._traits.reach if self._traits else None
        return changed

    def _forget(self) -> None:
        """There are rows in the log that this process didn't see."""
        self._traits = self._reach = None

    def _range(self, log: delta.Snapshot, first: int) -> AddedRows:
        """Log rows from this version on; the whole log from the first on, or where old commits are cleaned up."""
        added = self._log_reader.added(log, first) if first and self.watch.waiting.is_known else None
        return added or AddedRows(lambda: self._whole(log), ANY_KEY)

    def _whole(self, log: delta.Snapshot) -> LogRows:
        return as_log_rows(delta.read_version(self.session, self.locations.log, log.version), self.table)

    def _add_new_columns(self) -> None:
        if not self._has_columns and self.watch.history is not None:
            wanted = empty_frame(self.session, history_schema(self.table))
            if delta.add_missing_columns(self.session, self.locations.history, wanted):
                self.watch.look()
        self._has_columns = True

    def _bounds(self, added: AddedRows) -> RangeBounds | None:
        """From the batches that this process appended where they are the whole range, else by reading the range."""
        grown: Grown | None = self._grown
        if self._grown.versions != self.watch.waiting.versions:
            grown = measure_range(added.rows)
            self._forget()
        if grown is None:
            return None
        traits = self._log_traits()
        first = reach_of_text(grown.min_sequence)
        commit_micros, partial = self._earliest_commit(grown), traits.has_partial
        return RangeBounds(first, commit_micros, grown.keyless, traits.keyless, partial, added.keys)

    def _earliest_commit(self, grown: Grown) -> int:
        """Asks the log only where a batch brings rows of a snapshot that isn't the first."""
        log = delta.read(self.session, self.locations.log) if grown.reaches_back else None
        return grown.min_commit_micros if log is None else earliest_commit(grown, log)

    def _log_traits(self) -> LogTraits:
        """Asks the log once; from then on this process sees every row that is appended."""
        if self._traits is None:
            self._traits = read_traits(delta.read(self.session, self.locations.log))
        return self._traits

    def _fold(self, given: LogRange) -> int:
        """Few rows on the driver, if there is a history; whatever is more, or stored otherwise, by Spark."""
        rewrite, note = self._begin(), Settled(given.log.table_id, given.log.version).note
        folded = self._fold_on_driver(rewrite, given, note) or self._by_spark.fold(rewrite, given, note)
        if folded.committed is not None:
            self._near.keep(folded.committed, folded.removed)
        return folded.changed

    def _fold_on_driver(self, rewrite: Rewrite | None, given: LogRange, note: str) -> Folded | None:
        is_small = given.count is not None and given.count <= self.driver_limits.waiting
        if rewrite is None or given.added.files is None or not is_small:
            return None
        try:
            return self._on_driver.fold(rewrite, given, note)
        except UnsuitedError as error:
            _log.info("settled by Spark", table=self.table.name, reason=str(error))
            return None

    def _begin(self) -> Rewrite | None:
        """A transaction on the history as it was looked at; None where there is none yet."""
        seen = self.watch.history
        return Rewrite(self.session, self.locations.history, seen, self.most_broadcast) if seen else None
