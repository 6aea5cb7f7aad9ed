"""The versions of a history that a range of the log can change, read by the files that are known to hold them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.history.range_bounds import RangeBounds, near_versions
from fluvial.io.delta_rewrite import Committed, Rewrite
from fluvial.io.near_files import NearFiles, by_name
from fluvial.io.schemas import empty_frame, history_schema
from fluvial.streams import FILE, History


@dataclass
class NearHistory:
    """Reads near versions of one history, and follows what this process commits to it."""

    session: SparkSession
    table: Table
    _files: NearFiles | None = field(default=None, init=False)

    def read(self, rewrite: Rewrite | None, bounds: RangeBounds) -> History:
        """The versions, each with its FILE; none where there is no history yet."""
        if rewrite is not None:
            return near_versions(History(self._rows(rewrite, bounds.min_sequence)), bounds)
        nothing = empty_frame(self.session, history_schema(self.table))
        return History(nothing.withColumn(FILE, F.lit(None).cast("string")))

    def keep(self, committed: Committed, removed: Collection[str]) -> None:
        """Tells what a commit added, and the names of the files that it removed."""
        if self._files is not None:
            self._files = self._files.after(committed.version, removed, committed.added)

    def _rows(self, rewrite: Rewrite, sequence: str) -> DataFrame:
        """Asks Delta only where another process committed since, or an event is later than any before."""
        known = self._files.find(rewrite.table, sequence) if self._files else None
        if known is not None:
            return rewrite.read_files(known)
        rows = rewrite.read_near(sequence)
        self._files = NearFiles(rewrite.table.table_id, rewrite.table.version, sequence, by_name(rewrite.files))
        return rows
