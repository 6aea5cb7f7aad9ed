"""The versions of a history that a range of the log can change, read by the files that are known to hold them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.history.file_statistics import may_hold
from fluvial.history.range_bounds import RangeBounds, near_versions
from fluvial.io.delta import Snapshot
from fluvial.io.delta_rewrite import Committed, Rewrite
from fluvial.io.near_files import NearFiles, by_name
from fluvial.io.schemas import empty_frame, history_schema
from fluvial.streams import FILE, History

_MOST: Final = 10_000
"""Files to keep; each has a description in the JVM and one here."""


@dataclass
class NearHistory:
    """Reads near versions of one history, and follows what this process commits to it."""

    session: SparkSession
    table: Table
    most: int = _MOST
    _files: NearFiles | None = field(default=None, init=False)
    _are_many: bool = field(default=False, init=False)
    """More files than are kept: from then on Delta is asked for those that may hold the touched keys."""

    def read(self, rewrite: Rewrite | None, bounds: RangeBounds) -> History:
        """The touched keys' versions, and maybe others, each with its FILE; none where there is no history yet."""
        if rewrite is not None:
            return near_versions(History(rewrite.rows_of(self.find(rewrite, bounds))), bounds)
        nothing = empty_frame(self.session, history_schema(self.table))
        return History(nothing.withColumn(FILE, F.lit(None).cast("string")))

    def keep(self, committed: Committed, removed: Collection[str]) -> None:
        """Tells what a commit added, and the names of the files that it removed.

        Where others committed between what was read and it, as OPTIMIZE may, what they did isn't known.
        """
        if self._files is not None:
            is_next = committed.version == self._files.version + 1
            self._files = self._files.after(committed.version, removed, committed.added) if is_next else None

    def find(self, rewrite: Rewrite, bounds: RangeBounds) -> Sequence[Any]:
        """Delta's AddFiles that may hold such versions; the transaction takes them."""
        files = None if self._are_many else self._near_files(rewrite, bounds.min_sequence)
        if files is None:
            return rewrite.near_files(bounds.min_sequence, may_hold(bounds.touched, self.table))
        return rewrite.take(files.find(bounds.min_sequence, bounds.touched))

    def knows(self, history: Snapshot, sequence: str) -> bool:
        """Whether it can be read without asking Delta for its files."""
        known = self._files
        return known is not None and known.are_known(history, sequence) and len(known.files) <= self.most

    def _near_files(self, rewrite: Rewrite, sequence: str) -> NearFiles | None:
        """Asks Delta only where another process committed since, or an event is later than any before."""
        if self.knows(rewrite.table, sequence):
            return self._files
        found = rewrite.find_near(sequence, self.most)
        self._are_many = found is None
        self._files = None if found is None else self._kept(rewrite, sequence, found)
        return self._files

    def _kept(self, rewrite: Rewrite, sequence: str, found: Sequence[Any]) -> NearFiles:
        history = rewrite.table
        return NearFiles(self.table, history.table_id, history.version, sequence, by_name(found, self.table))
