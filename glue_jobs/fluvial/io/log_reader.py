"""What a settle reads of a table's log: the rows that wait, and those that can matter to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.history.file_statistics import may_be_near
from fluvial.history.key_range import KeyRange, read_key_ranges
from fluvial.history.range_bounds import RangeBounds, near_rows
from fluvial.io import delta
from fluvial.io.delta_transaction import DeltaTransaction
from fluvial.io.log_bounds import Reach
from fluvial.io.log_tail import LogTail, log_file
from fluvial.streams import LogRows


@dataclass(frozen=True)
class AddedRows:
    """What some versions of a log brought: which keys it may have, and the AddFiles that it lies in, where known."""

    read: Callable[[], LogRows]
    keys: KeyRange
    files: Sequence[Any] | None = None

    @cached_property
    def rows(self) -> LogRows:
        """The rows themselves."""
        return self.read()


def as_log_rows(rows: DataFrame, table: Table) -> LogRows:
    """Rows of a log, NULL in a column that it lacks: it gets a new one with the first batch that is configured so."""
    known = {name.lower() for name in rows.columns}
    missing = [column for column in table.columns if column.name.lower() not in known]
    empty = {column.name: F.lit(None).cast(column.type) for column in missing}
    return LogRows(rows.withColumns(empty) if empty else rows)


@dataclass
class LogReader:
    """Reads the log of one table by its files."""

    session: SparkSession
    table: Table
    path: str
    _tail: LogTail | None = field(default=None, init=False)

    def added(self, log: delta.Snapshot, first: int) -> AddedRows | None:
        """Rows that version `first` and later ones appended.

        None where one of their commits is cleaned up, or one of their files, as VACUUM does once OPTIMIZE made others.
        """
        commits = [delta.read_files(self.session, self.path, version) for version in range(first, log.version + 1)]
        known = [commit for commit in commits if commit is not None]
        files = [file for commit in known for file in commit.appended]
        removed = frozenset[str]().union(*(commit.removed for commit in known))
        transaction = self._transaction(log)
        replaced = (file for file in files if file.path() in removed)
        if len(known) < len(commits) or not all(map(transaction.is_there, replaced)):
            return None
        keys = read_key_ranges([file.stats() for file in files], self.table)
        return AddedRows(lambda: as_log_rows(transaction.rows_of(files), self.table), keys, files)

    def near(self, log: delta.Snapshot, bounds: RangeBounds) -> LogRows:
        """The log's rows that can matter to a range."""
        files = self.near_files(log, bounds)
        return near_rows(as_log_rows(self._transaction(log).rows_of(files), self.table), bounds)

    def near_files(self, log: delta.Snapshot, bounds: RangeBounds) -> Sequence[Any]:
        """The AddFiles with such rows, and maybe others; asks Delta where they may stand in files not seen yet."""
        self._tail = self._followed(log)
        known = self._tail.find(bounds) if self._tail else None
        if known is None:
            known = self._transaction(log).find_files(may_be_near(bounds))
            reach = Reach(bounds.min_sequence, bounds.min_commit_micros)
            self._tail = LogTail(log.table_id, log.version, reach, tuple(map(log_file, known)))
        return known

    def _followed(self, log: delta.Snapshot) -> LogTail | None:
        """The tail as of the log's version; None where it can't be told without asking."""
        tail = self._tail
        if tail is None or tail.table_id != log.table_id or tail.version > log.version:
            return None
        for version in range(tail.version + 1, log.version + 1):
            files = delta.read_files(self.session, self.path, version)
            if files is None or files.removed:
                return None
            tail = tail.after(version, files.added)
        return tail

    def _transaction(self, log: delta.Snapshot) -> DeltaTransaction:
        return DeltaTransaction(self.session, self.path, log.version)
