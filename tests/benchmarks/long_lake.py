"""A lake with a long past, made directly: the log through the product's own chain, the history by one window.

Both lie as long use leaves them: files in order of sequence, the history parted by whether a version is current, closed
versions in the order in which settles closed them. `tests/benchmarks` says how that was compared with the real thing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import UseCase
from fluvial.envelope.key_change import change_events
from fluvial.io import delta
from fluvial.io.commits import Settled
from fluvial.micro_batch import check_records, place_events
from fluvial.streams import BatchContext, FreshEvents, Records
from tests.benchmarks.accounts import Life, past_records
from tests.benchmarks.rivals import PROCESSED_AT, QUERY
from tests.benchmarks.telemetry import only_table

EVENTS_PER_FILE: Final = 20_000
"""What a settle every ten batches of 2,000 closes, and what a daily compaction leaves of the log at the least."""


@dataclass(frozen=True)
class LongLake:
    """Builds one life's tables below `folder`."""

    session: SparkSession
    use_case: UseCase
    life: Life
    folder: Path

    @property
    def locations(self) -> TableLocations:
        """Where log and history lie."""
        return Locations(self.use_case, self.folder).table(only_table(self.use_case))

    def build(self) -> None:
        """The log, the history settled up to it, and the same history as one unparted table for the rivals."""
        self._write_log()
        versions = self._versions().persist()
        self._write_history(versions)
        self._write_unparted(versions)
        versions.unpersist()

    def _files(self) -> int:
        return max(2, self.life.past_events // EVENTS_PER_FILE)

    def _write_log(self) -> None:
        table = only_table(self.use_case)
        checked = check_records(Records(past_records(self.session, self.life)), table)
        events = FreshEvents(change_events(checked, table, has_key_changes=False))
        log = place_events(events, table, BatchContext(QUERY, -1, PROCESSED_AT)).log
        ordered = log.repartitionByRange(self._files(), c.SEQUENCE)
        delta.append(ordered, self.locations.log, properties=delta.log_properties(table))

    def _versions(self) -> DataFrame:
        """Every past event opens a version, which its key's next event closes."""
        log = delta.read(self.session, self.locations.log)
        following = Window.partitionBy("id").orderBy(c.SEQUENCE)
        return log.select(
            *only_table(self.use_case).column_names,
            c.SEQUENCE,
            c.OPERATION,
            F.col(c.COMMIT_TIME).alias(c.EFFECTIVE_FROM),
            F.lead(c.COMMIT_TIME).over(following).alias(c.EFFECTIVE_TO),
            F.lead(c.SEQUENCE).over(following).isNull().alias(c.IS_CURRENT),
            F.lead(c.SEQUENCE).over(following).alias(c.END_SEQUENCE),
            F.lit(None).cast("string").alias(c.UNCERTAIN_SINCE),
            F.lit(None).cast("array<string>").alias(c.UNRESOLVED),
            c.INGESTED_AT,
        )

    def _write_history(self, versions: DataFrame) -> None:
        table, log_id = only_table(self.use_case), DeltaTable.forPath(self.session, self.locations.log).detail()
        note = Settled(log_id.select("id").collect()[0][0], 0).note
        closed = versions.where(~F.col(c.IS_CURRENT)).repartitionByRange(self._files(), c.END_SEQUENCE)
        current = versions.where(c.IS_CURRENT).repartition(2, "id")
        properties = delta.history_properties(table)
        for part in (closed, current):
            delta.append(
                part,
                self.locations.history,
                partition_by=(c.IS_CURRENT,),
                properties=properties,
                note=note,
            )

    def _write_unparted(self, versions: DataFrame) -> None:
        """Open and closed versions side by side, as the rivals' own MERGE leaves them: one file for each writer."""
        names = (*only_table(self.use_case).column_names, c.EFFECTIVE_FROM, c.EFFECTIVE_TO, c.IS_CURRENT)
        rows = versions.select(*names).repartition(2, "id")
        rows.write.format("delta").save(str(self.folder / "scd2"))
