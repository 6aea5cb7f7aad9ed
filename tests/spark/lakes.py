"""A lake of the packed use case that is written by one process after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.io.events_file import RECORD_SCHEMA
from fluvial.io.failpoints import Failpoints
from fluvial.io.lake_writer import LakeWriter
from tests.spark.lake_checks import KEY, history_of
from tests.spark.lake_rows import broken_intervals, versions_since
from tests.spark.packs import USE_CASE, Message, kafka_record
from tests.spark.stories import TABLE

ONE_TABLE: Final = USE_CASE.model_copy(update={"tables": (USE_CASE.table(TABLE),)})
"""Nothing comes for the others, so no process opens them."""


@dataclass
class Lake:
    """Each write is a new process, as after a crash."""

    spark: SparkSession
    path: Path
    checked: int = -1

    @property
    def locations(self) -> Locations:
        return Locations(USE_CASE, self.path)

    def exists(self, table: str) -> bool:
        """Whether there is a history."""
        return (Path(self.locations.table(USE_CASE.table(table)).history) / "_delta_log").is_dir()

    def write(
        self, messages: Sequence[Message], batch: int, failpoints: Failpoints | None = None, query: str = "query-1"
    ) -> None:
        """A process does the batch, and dies where the failpoints say."""
        passed = failpoints or Failpoints()
        writer = LakeWriter(self.spark, ONE_TABLE, self.locations, query, failpoints=passed)
        rows = [kafka_record(message) for message in messages]
        try:
            writer.write(self.spark.createDataFrame(rows, RECORD_SCHEMA), batch)
        finally:
            self.spark.catalog.clearCache()
        passed.reach("before checkpoint")

    def check_each_commit(self) -> None:
        """H2 in every version of the history that a reader could have met since the last look."""
        commits = versions_since(self.locations.table(USE_CASE.table(TABLE)).history, self.checked)
        for version in commits:
            assert broken_intervals(history_of(self.path, TABLE, version), KEY) == [], f"H2 as of version {version}"
        self.checked = commits.stop - 1
