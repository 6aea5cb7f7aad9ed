"""What of a table's log is settled and what waits, told by the commits of log and history; and who else changed them.

Nothing here costs a Spark job: Delta's own log is read on the driver, and of it only commits not yet looked at.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import structlog
from pyspark.sql import SparkSession

from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.history.due import Unsettled
from fluvial.io import delta
from fluvial.io.commits import ReadCommit, Walk, undone, walk_back
from fluvial.io.foreign_changes import Watched, refuse_other_log
from fluvial.io.schemas import column_types, history_schema, log_schema

_log = structlog.get_logger()


@dataclass
class SettleWatch:
    """Follows the log and the history of one table.

    `settled` is the newest version of the log that the history holds, -1 before any, None before the first look.
    `log` and `history` are those as the last look found them.
    """

    session: SparkSession
    table: Table
    places: TableLocations
    settled: int | None = field(default=None, init=False)
    waiting: Unsettled = field(default_factory=Unsettled, init=False)
    log: delta.Snapshot | None = field(default=None, init=False)
    history: delta.Snapshot | None = field(default=None, init=False)
    _log_id: str = field(default="", init=False)
    _seen: int = field(default=-1, init=False)

    def look(self, log: delta.Snapshot | None = None) -> None:
        """Takes in what happened since the last look; raises StorageError where others changed what only we may.

        Until that is undone or accepted, every look raises it again. `log` is its newest snapshot if the caller has it.
        """
        history = delta.snapshot(self.session, self.places.history)
        if history is None:
            self._begin()
        elif history != self.history:
            self._follow_history(history)
        self._follow(log)
        self.history = history

    def look_at_log(self, log: delta.Snapshot | None) -> None:
        """As `look`, but leaves a history that was seen before to the next settle."""
        if self.settled is None:
            self.look(log)
        else:
            self._follow(log)

    def _follow(self, log: delta.Snapshot | None) -> None:
        log = log or delta.snapshot(self.session, self.places.log)
        if self._log_id:
            refuse_other_log(self._watched_log, self._log_id, log.table_id if log else None)
        if log is not None and self.log is None:
            self._watched_log.refuse_schema(log.schema_json)
        if log is not None and log.version != self._seen:
            if self.settled is not None and log.version < self.settled:
                raise self._watched_log.ends_early(log.version, self.settled)
            self._follow_log(log)
        self.log = log

    def follow_own(self, version: int) -> bool:
        """Takes in this process's own commit to the log; False where others committed between those seen and it.

        Needs no look at the tables: that nobody else did anything since, the next one finds out.
        """
        if self.log is None or version != self._seen + 1:
            return False
        log = replace(self.log, version=version)
        self._follow_log(log)
        self.log = log
        return True

    def fold_to(self, version: int) -> None:
        """Tells that the history holds the log up to that version."""
        self.settled = self._seen = version
        self.waiting = Unsettled()

    def _begin(self) -> None:
        """There is no history: all of the log waits."""
        if self.history is not None:
            _log.warning("the history is gone and is derived again", table=self.table.name)
        if self.history is not None or self.settled is None:
            self.fold_to(-1)

    def _follow_history(self, history: delta.Snapshot) -> None:
        """Where the commits since the last look tell of a settle, or a RESTORE went back to one, that one counts."""
        before = self.history
        known = before.version if before and before.table_id == history.table_id else -1
        walk = walk_back(self._reader(self.places.history), history.version, known)
        self._watched_history.refuse_foreign(walk)
        if before is None or _changes_schema(walk):
            self._watched_history.refuse_schema(history.schema_json)
        if walk.settled is not None:
            self._log_id = walk.settled.log_id
        if walk.settled is not None and walk.settled.version != self.settled:
            self.fold_to(walk.settled.version)
        elif walk.settled is None and (known < 0 or walk.end != known):
            self.fold_to(-1)

    def _follow_log(self, log: delta.Snapshot) -> None:
        """Counts what waits. Where commits are cleaned up that can't be done, and settling is due."""
        read = self._reader(self.places.log)
        walk = walk_back(read, log.version, self._seen)
        self._watched_log.refuse_foreign(walk)
        for commit in walk.commits:
            if commit.restored is not None:
                self._watched_log.refuse_undone(commit, undone(read, commit))
        if _changes_schema(walk):
            self._watched_log.refuse_schema(log.schema_json)
        self.waiting = replace(_add(self.waiting, walk), is_known=self.waiting.is_known and walk.end <= self._seen)
        self._seen, self._log_id = log.version, log.table_id

    def _reader(self, path: str) -> ReadCommit:
        return partial(delta.read_commit, self.session, path)

    @cached_property
    def _watched_log(self) -> Watched:
        types = column_types(self.session, log_schema(self.table))
        return Watched(self.table.name, "log", self.places.log, types)

    @cached_property
    def _watched_history(self) -> Watched:
        types = column_types(self.session, history_schema(self.table))
        return Watched(self.table.name, "history", self.places.history, types)


def _changes_schema(walk: Walk) -> bool:
    return any(commit.columns is not None and not commit.is_ours for commit in walk.commits)


def _add(waiting: Unsettled, walk: Walk) -> Unsettled:
    """Commits that brought no row, such as OPTIMIZE, leave nothing to settle."""
    commits = [commit for commit in walk.commits if commit.changes_data]
    times = [time for time in (waiting.since, *(commit.at for commit in commits)) if time is not None]
    return Unsettled(
        waiting.versions + len(commits),
        waiting.rows + sum(commit.rows for commit in commits),
        waiting.bytes + sum(commit.bytes for commit in commits),
        min(times, default=None),
    )
