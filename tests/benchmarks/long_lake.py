"""A lake with a long past, made directly; `tests/spark/test_long_lake.py` compares a small one with one lived through.

Log and history lie as long use leaves them: files in order of sequence, the history parted by whether a version is
current, closed versions in the order in which settles closed them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import UseCase
from fluvial.io import delta
from fluvial.io.commits import Settled
from fluvial.io.schemas import empty_frame, history_schema, log_schema
from tests.benchmarks import accounts
from tests.benchmarks.accounts import Life
from tests.benchmarks.rivals import PROCESSED_AT, QUERY
from tests.benchmarks.telemetry import only_table

EVENTS_PER_FILE: Final = 20_000
"""What a settle every ten batches of 2,000 closes, and what a daily compaction leaves of the log at the least."""
_NEXT: Final = "next"


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
        by_key = Window.partitionBy("key").orderBy("id")
        events = self._events(2).select("id", self.life.key().alias("key"))
        followed = events.withColumn(_NEXT, F.lead("id").over(by_key)).persist()
        self._write_history(followed)
        self._write_unparted(followed)
        followed.unpersist()

    def _events(self, parts: int) -> DataFrame:
        return self.session.range(0, self.life.past_events, 1, parts)

    @property
    def _files(self) -> int:
        return max(2, self.life.past_events // EVENTS_PER_FILE)

    @property
    def _closed_files(self) -> int:
        """All of one size, however long the past: a late event rewrites one of them."""
        return max(1, self.life.keys * self.life.history // EVENTS_PER_FILE)

    def _write_log(self) -> None:
        table = only_table(self.use_case)
        rows = self._events(self._files).withColumn("key", self.life.key())
        log = _shaped(rows, _log_values(self.life), empty_frame(self.session, log_schema(table)))
        delta.append(log, self.locations.log, properties=delta.log_properties(table))

    def _write_history(self, followed: DataFrame) -> None:
        table, described = only_table(self.use_case), DeltaTable.forPath(self.session, self.locations.log).detail()
        note = Settled(described.select("id").collect()[0][0], 0).note
        closed = followed.where(F.col(_NEXT).isNotNull()).repartitionByRange(self._closed_files, _NEXT)
        current = followed.where(F.col(_NEXT).isNull()).repartition(2, "key")
        properties, empty = delta.history_properties(table), empty_frame(self.session, history_schema(table))
        for part in (closed, current):
            rows = _shaped(part, _version_values(self.life), empty)
            place = self.locations.history
            delta.append(rows, place, partition_by=(c.IS_CURRENT,), properties=properties, note=note)

    def _write_unparted(self, followed: DataFrame) -> None:
        """Open and closed versions side by side, as the rivals' own MERGE leaves them: one file for each writer."""
        names = (*only_table(self.use_case).column_names, c.EFFECTIVE_FROM, c.EFFECTIVE_TO, c.IS_CURRENT)
        empty = empty_frame(self.session, history_schema(only_table(self.use_case))).select(*names)
        rows = _shaped(followed.repartition(2, "key"), _version_values(self.life), empty)
        rows.write.format("delta").save(str(self.folder / "scd2"))


def _shaped(rows: DataFrame, values: Mapping[str, Column], empty: DataFrame) -> DataFrame:
    """The values as a table of the product's own schema; a column that isn't told is NULL."""
    nothing = F.lit(None)
    return rows.select(*(values.get(name, nothing).cast(kind).alias(name) for name, kind in empty.dtypes))


def _business() -> dict[str, Column]:
    return {"id": F.col("key")} | accounts.values()


def _operation(number: Column, life: Life) -> Column:
    return F.when(number < life.keys, c.INSERT).otherwise(c.UPDATE)


def _log_values(life: Life) -> dict[str, Column]:
    number = F.col("id")
    return _business() | {
        c.SEQUENCE: accounts.sequence(number),
        c.OPERATION: _operation(number, life),
        c.COMMIT_TIME: accounts.commit_time(number),
        c.IS_QUARANTINED: F.lit(False),
        c.PAYLOAD_HASH: F.xxhash64(number, F.lit("payload")),
        c.SOURCE_POSITION: F.format_string("lsn=%d tx=%d", accounts.lsn(number), number + 7),
        c.TOPIC: F.lit(accounts.TOPIC),
        c.PARTITION: F.lit(0),
        c.OFFSET: number,
        c.QUERY_ID: F.lit(QUERY),
        c.BATCH_ID: F.lit(-1),
        c.INGESTED_AT: F.lit(PROCESSED_AT),
    }


def _version_values(life: Life) -> dict[str, Column]:
    opened, closed = F.col("id"), F.col(_NEXT)
    return _business() | {
        c.SEQUENCE: accounts.sequence(opened),
        c.OPERATION: _operation(opened, life),
        c.EFFECTIVE_FROM: accounts.commit_time(opened),
        c.EFFECTIVE_TO: accounts.commit_time(closed),
        c.IS_CURRENT: closed.isNull(),
        c.END_SEQUENCE: accounts.sequence(closed),
        c.INGESTED_AT: F.lit(PROCESSED_AT),
    }
