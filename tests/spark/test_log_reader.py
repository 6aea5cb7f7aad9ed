"""What a settle reads of a log: each row once, whatever becomes of the files that hold it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from fluvial.config.model import Table
from fluvial.history.key_range import KeyRange
from fluvial.history.range_bounds import RangeBounds
from fluvial.io import delta
from fluvial.io.log_reader import LogReader
from fluvial.streams import LogRows

START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "_sequence string, _commit_time timestamp, id int"
TABLE = Table.model_validate({"name": "t", "primary_key": "id", "schema": [{"name": "id", "type": "int"}]})


@pytest.fixture
def log(spark: SparkSession, tmp_path: Path) -> str:
    """Three versions with a row each: sequences 0000, 0010 and 0020."""
    path = str(tmp_path / "log")
    for number in (0, 10, 20):
        append(spark, path, number)
    return path


def append(spark: SparkSession, path: str, number: int, second: int | None = None) -> None:
    time = START + timedelta(seconds=number if second is None else second)
    delta.append(spark.createDataFrame([(f"{number:04}", time, number)], SCHEMA).coalesce(1), path)


def now(spark: SparkSession, path: str) -> delta.Snapshot:
    found = delta.snapshot(spark, path)
    assert found is not None
    return found


def sequences(rows: LogRows | None) -> list[str]:
    return sorted(row[0] for row in rows.collect()) if rows is not None else ["unknown"]


def brought(reader: LogReader, log: delta.Snapshot, first: int) -> list[str]:
    added = reader.added(log, first)
    return sequences(added.rows if added is not None else None)


def range_from(number: int) -> RangeBounds:
    micros = (START - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) + number * 1_000_000
    return RangeBounds(f"{number:04}", micros, None, None, log_has_partial=False)


def test_versions_give_the_rows_that_they_brought(spark: SparkSession, log: str) -> None:
    reader = LogReader(spark, TABLE, log)
    assert brought(reader, now(spark, log), 1) == ["0010", "0020"]
    assert brought(reader, now(spark, log), 3) == []
    spark.sql(f"OPTIMIZE delta.`{log}`")
    append(spark, log, 30)
    assert brought(reader, now(spark, log), 2) == ["0020", "0030"]
    compacted = set(DeltaTable(log).file_uris())
    for file in Path(log).glob("*.parquet"):
        if str(file) not in compacted:
            file.unlink()
    assert brought(reader, now(spark, log), 2) == ["unknown"]


def test_versions_tell_which_keys_they_brought(spark: SparkSession, log: str) -> None:
    added = LogReader(spark, TABLE, log).added(now(spark, log), 1)
    assert added is not None
    assert added.keys == KeyRange({"id": (10, 20)})


def test_a_commit_that_is_cleaned_up_leaves_a_range_unknown(spark: SparkSession, log: str) -> None:
    DeltaTable(log).create_checkpoint()
    (Path(log) / "_delta_log" / f"{1:020}.json").rename(Path(log) / "cleaned-up")
    assert LogReader(spark, TABLE, log).added(now(spark, log), 1) is None


def test_near_rows_are_told_by_sequence_and_by_clock(spark: SparkSession, log: str) -> None:
    reader = LogReader(spark, TABLE, log)
    assert sequences(reader.near(now(spark, log), range_from(10))) == ["0010", "0020"]
    append(spark, log, 5, second=60)
    append(spark, log, 30)
    assert sequences(reader.near(now(spark, log), range_from(25))) == ["0005", "0030"]
    assert sequences(reader.near(now(spark, log), range_from(0))) == ["0000", "0005", "0010", "0020", "0030"]


def test_files_that_can_not_matter_are_not_read_whether_asked_for_or_remembered(spark: SparkSession, log: str) -> None:
    reader = LogReader(spark, TABLE, log)
    assert len(reader.near(now(spark, log), range_from(15)).inputFiles()) == 1
    append(spark, log, 30)
    assert len(reader.near(now(spark, log), range_from(25)).inputFiles()) == 1
    assert len(reader.near(now(spark, log), range_from(5)).inputFiles()) == 3


def test_no_row_comes_twice_where_the_log_is_compacted_in_between(spark: SparkSession, log: str) -> None:
    reader = LogReader(spark, TABLE, log)
    assert sequences(reader.near(now(spark, log), range_from(10))) == ["0010", "0020"]
    spark.sql(f"OPTIMIZE delta.`{log}`")
    append(spark, log, 30)
    assert sequences(reader.near(now(spark, log), range_from(15))) == ["0020", "0030"]


def test_another_log_in_its_place_is_read_anew(spark: SparkSession, log: str, tmp_path: Path) -> None:
    reader = LogReader(spark, TABLE, log)
    assert sequences(reader.near(now(spark, log), range_from(10))) == ["0010", "0020"]
    Path(log).rename(tmp_path / "gone")
    for number in (40, 50, 60, 70):
        append(spark, log, number)
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    assert sequences(reader.near(now(spark, log), range_from(50))) == ["0050", "0060", "0070"]
