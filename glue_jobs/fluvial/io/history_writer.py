"""The settle step of one table: takes the log versions not yet settled and folds them in by one MERGE."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.history.settle import (
    FIRST,
    RangeBounds,
    TouchedKeys,
    count_actions,
    lower_to_runs,
    settle_versions,
    touched_keys,
)
from fluvial.io import delta
from fluvial.io.schemas import empty_frame, history_schema
from fluvial.streams import ACTION, BatchSummary, History, HistoryChanges, LogRows

_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class LogTraits:
    """What some row of a log has; plans are smaller where none has it."""

    has_truncate: bool
    has_partial: bool

    def with_batch(self, summary: BatchSummary) -> "LogTraits":
        """The traits once the log holds the batch's rows too."""
        return LogTraits(self.has_truncate or summary.truncates > 0, self.has_partial or summary.partial_events > 0)


@dataclass
class HistoryWriter:
    """Settles one table. Works in a session of its own, because a commit's note is a session setting."""

    parent: SparkSession
    table: Table
    locations: TableLocations
    _settled: int | None = field(default=None, init=False)
    _traits: LogTraits | None = field(default=None, init=False)
    _grown_by: BatchSummary | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.session = self.parent.newSession()

    def log_grew(self, summary: BatchSummary) -> None:
        """Tells that this process appended one log version with these bounds."""
        self._grown_by = summary
        if self._traits is not None:
            self._traits = self._traits.with_batch(summary)

    def settle(self) -> int:
        """Folds every unsettled log version in; returns how many versions of rows changed.

        A crash before or after the MERGE leaves nothing to mend: the next settle finds what is missing, or nothing.
        """
        log = delta.snapshot(self.session, self.locations.log)
        if log is None:
            return 0
        first = self._first_unsettled(log.table_id)
        if first > log.version:
            return 0
        changes = self._range(first, log.version)
        changed = self._fold(changes, log, self._bounds(changes, log.version - first + 1))
        self._settled, self._grown_by = log.version, None
        return changed

    def _range(self, first: int, last: int) -> LogRows:
        """Log rows of these versions; from the first on it is the whole log, because old changes may be cleaned up."""
        if first == 0:
            return LogRows(delta.read_version(self.session, self.locations.log, last))
        return LogRows(delta.read_range(self.session, self.locations.log, first, last))

    def _first_unsettled(self, log_id: str) -> int:
        if self._settled is None:
            self._settled = delta.find_settled_version(self.session, self.locations.history, log_id)
            self._add_new_columns()
        return self._settled + 1

    def _add_new_columns(self) -> None:
        if delta.exists(self.session, self.locations.history):
            wanted = empty_frame(self.session, history_schema(self.table))
            delta.add_missing_columns(self.session, self.locations.history, wanted)

    def _bounds(self, changes: LogRows, versions: int) -> RangeBounds | None:
        """From the batch that was just appended where it is the whole range, else by reading the range."""
        summary = self._grown_by
        if versions == 1 and summary is not None:
            sequence, micros, truncates = summary.min_sequence, summary.min_commit_micros, summary.truncates
        else:
            sequence, micros, truncates = _measure_range(changes)
            self._traits = None  # rows this process didn't see
        if sequence is None or micros is None:
            return None
        traits = self._log_traits()
        return RangeBounds(sequence, micros, bool(truncates), traits.has_truncate, traits.has_partial)

    def _log_traits(self) -> LogTraits:
        """Asks the log once; from then on this process sees every row that is appended."""
        if self._traits is None:
            log = delta.read(self.session, self.locations.log)
            self._traits = LogTraits(*log.agg(*_traits()).collect()[0])
        return self._traits

    def _fold(self, changes: LogRows, log: delta.Snapshot, bounds: RangeBounds | None) -> int:
        if bounds is None:
            return 0
        history = self._history()
        rows = LogRows(delta.read_version(self.session, self.locations.log, log.version))
        touched = touched_keys(changes, history, bounds, self.table)
        if self.table.track_columns:
            touched = TouchedKeys(lower_to_runs(touched, history, bounds, self.table).localCheckpoint())
            lowest = touched.agg(F.min(FIRST)).collect()[0][0]
            bounds = replace(bounds, min_sequence=lowest)
        wanted = settle_versions(touched, rows, history, bounds, self.table)
        held, actions = delta.checkpoint_counted(wanted, count_actions())
        self._write(HistoryChanges(held), bounds, actions, delta.settled_metadata(log.table_id, log.version))
        return sum(actions.values())

    def _history(self) -> History:
        known = delta.read_if_exists(self.session, self.locations.history)
        return History(known if known is not None else empty_frame(self.session, history_schema(self.table)))

    def _write(self, changes: HistoryChanges, bounds: RangeBounds, actions: Mapping[str, int], note: str) -> None:
        if not any(actions.values()):
            return
        if not delta.exists(self.session, self.locations.history):
            self._create(changes.drop(ACTION), note)
        else:
            self.session.conf.set(_USER_METADATA, note)
            present = {action for action, count in actions.items() if count}
            delta.merge_history(self.session, self.locations.history, changes, self.table, bounds.min_sequence, present)

    def _create(self, versions: DataFrame, note: str) -> None:
        delta.append(
            versions,
            self.locations.history,
            partition_by=(c.IS_CURRENT,),
            properties=delta.history_properties(self.table),
            user_metadata=note,
        )


def _measure_range(changes: LogRows) -> Row:
    """(lowest sequence, earliest commit time in µs, number of truncates) of a range of log rows."""
    truncate = F.when(F.col(c.OPERATION) == c.TRUNCATE, 1)
    return changes.agg(F.min(c.SEQUENCE), F.min(F.unix_micros(c.COMMIT_TIME)), F.count(truncate)).collect()[0]


def _traits() -> list[Column]:
    """Aggregates over a log in the order of LogTraits' fields."""
    conditions = (F.col(c.OPERATION) == c.TRUNCATE, F.col(c.NOT_AUTHORED).isNotNull())
    return [F.coalesce(F.max(condition), F.lit(False)) for condition in conditions]
