"""Appends quarantined events, each once: whichever query, in whichever of its batches, brings them."""

from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.deduplicate import is_within
from fluvial.io import delta
from fluvial.streams import BatchSummary, Quarantined


@dataclass
class QuarantineWriter:
    """The quarantine of one table, for a writer that logs what it quarantines, or ends.

    An event that the log lacks can be here only if an earlier writer died between the two. So what was here when this
    one came is asked, and that only where a batch reaches into it.
    """

    session: SparkSession
    table: Table
    location: str
    _highest: str | None = field(default=None, init=False)
    _has_appended: bool = field(default=False, init=False)

    def can_stage(self, summary: BatchSummary) -> bool:
        """Whether the table has every column, as this writer appended to it, and lacks all that such a batch brings."""
        return self._has_appended and not self._may_hold(summary)

    def append(self, rows: Quarantined, summary: BatchSummary) -> None:
        """Appends what the quarantine lacks of the rows of a batch with those bounds."""
        lacking: DataFrame = rows
        if self._may_hold(summary):
            lacking = rows.join(self._places_between(summary), list(c.PLACE), "left_anti").select(*rows.columns)
        delta.append(lacking, self.location, properties=delta.quarantine_properties(self.table))
        self._has_appended = True

    def _may_hold(self, summary: BatchSummary) -> bool:
        return (summary.min_sequence or "") <= self._highest_at_first()

    def _highest_at_first(self) -> str:
        if self._highest is None:
            self._highest = delta.highest_sequence(self.session, self.location)
        return self._highest

    def _places_between(self, summary: BatchSummary) -> DataFrame:
        return delta.read(self.session, self.location).where(is_within(summary)).select(*c.PLACE)
