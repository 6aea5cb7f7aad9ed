"""One commit that writes some files of a Delta table anew, for changes of which it is known where they fall.

A MERGE would look for the files and the rows a second time, and compute the whole state of the table to count them.
Delta's own transaction is as strict: what others commit meanwhile and would be undone or overlooked makes ours fail.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.history.file_statistics import may_reach
from fluvial.history.range_bounds import reaches
from fluvial.io import delta
from fluvial.io.delta_transaction import DeltaTransaction
from fluvial.io.history_layout import limited_files
from fluvial.io.near_files import file_name
from fluvial.io.observed import Aggregates
from fluvial.io.rewritten_rows import RewrittenRows
from fluvial.io.session import MOST_BROADCAST
from fluvial.streams import FILE, HistoryChanges


@dataclass(frozen=True)
class FoundChanges:
    """Changes, how many they are, and the names of the files that hold a row to update or to delete."""

    changes: HistoryChanges
    count: int
    files: Collection[str]


def find_changes(wanted: HistoryChanges, counts: Aggregates) -> FoundChanges:
    """Computes and holds them, in one job; `counts` are those of the actions, and the names of the files."""
    held, found = delta.checkpoint_counted(wanted, counts)
    files = found.pop("files")
    return FoundChanges(HistoryChanges(held), sum(found.values()), files.split(",") if files else [])


@dataclass(frozen=True)
class Committed:
    """The version that a commit made, and Delta's AddFiles that it added."""

    version: int
    added: Sequence[Any] = ()


@dataclass
class Rewrite:
    """A transaction on one version of a table."""

    session: SparkSession
    path: str
    table: delta.Snapshot
    most_broadcast: int = MOST_BROADCAST
    _files: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._transaction = DeltaTransaction(self.session, self.path, self.table.version)

    def find_near(self, sequence: str, most: int) -> list[Any] | None:
        """The files with versions open at the sequence or later, by one Spark job; None where there are more."""
        return self._transaction.find_few(may_reach(sequence), most)

    def near_files(self, sequence: str, keys: Column | None = None) -> Sequence[Any]:
        """Every such file, to be read by this transaction; finding them is one Spark job.

        `keys` is a condition over `stats`: a file of which it isn't true has no row that matters.
        """
        near = may_reach(sequence)
        files = self._transaction.find_files(near if keys is None else near & keys)
        self._transaction.track(files, reaches(sequence))
        return self._taken(files)

    def take(self, files: Sequence[Any]) -> Sequence[Any]:
        """The same where the files are known; other commits are refused as if they had been looked for."""
        self._transaction.track(files)
        return self._taken(files)

    def rows_of(self, files: Sequence[Any]) -> DataFrame:
        """The rows of files that were taken, each with its FILE."""
        return self._transaction.rows_of(files).withColumn(FILE, F.col("_metadata.file_name"))

    @property
    def files(self) -> Sequence[Any]:
        """Delta's AddFiles that were read."""
        return list(self._files.values())

    def reads_at_least(self, rows: int) -> bool:
        """Whether the files that were read hold so many rows; stops counting there, as there may be many files."""
        return any(total >= rows for total in accumulate(map(_rows_in, self._files.values())))

    def _taken(self, files: Sequence[Any]) -> Sequence[Any]:
        self._files |= {file_name(file): file for file in files}
        return files

    def commit(self, found: FoundChanges, rewritten: RewrittenRows, note: str) -> Committed:
        """Applies the changes."""
        old = [self._files[name] for name in found.files]
        are_many = found.count > self.most_broadcast
        rows = rewritten.of(self._transaction.rows_of(old), found.changes, may_change=bool(old), are_many=are_many)
        with limited_files(self.session, found.count + sum(map(_rows_in, old))):
            added = self._transaction.write_files(rows)
        return self.replace(found.files, added, note)

    def replace(self, names: Collection[str], added: Sequence[Any], note: str) -> Committed:
        """Takes files of these names away, and adds AddFiles that are written."""
        removed = [self._files[name].remove() for name in names]
        return Committed(self._transaction.commit([*added, *removed], note, is_append=not names), added)

    def commit_note(self, note: str) -> Committed:
        """A commit without files: that nothing had to change is known from then on."""
        return Committed(self._transaction.commit([], note, is_append=True))


def _rows_in(file: Any) -> int:
    """By the file's statistics; 0 where it has none."""
    found = file.numLogicalRecords()
    return int(found.get()) if found.isDefined() else 0
