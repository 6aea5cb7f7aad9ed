"""Few rows are settled on the driver: the history is what Spark makes of them, for every reader of it."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.settle import SettlePolicy
from fluvial.io import delta
from fluvial.io.arrow_files import ArrowFiles, stored_file
from fluvial.io.arrow_types import arrow_schema
from fluvial.io.delta_statistics import statistics_text
from fluvial.io.driver_settle import DriverLimits
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.table_writer import TableWriter
from fluvial.io.table_writers import MakeTableWriter
from fluvial.io.verify import verify_table
from tests.spark.lake_rows import written_by
from tests.spark.records import TINY, debezium, records
from tests.spark.settled_by_spark import SettledBySpark

KINDS = {
    "id": "bigint",
    "code": "string",
    "day": "date",
    "price": "decimal(38,18)",
    "small": "tinyint",
    "ratio": "double",
    "rate": "float",
    "flag": "boolean",
    "at": "timestamp",
    "raw": "binary",
}
USE_CASE = UseCase.model_validate(
    TINY
    | {
        "tables": [
            {
                "name": "items",
                "primary_key": ["id", "code", "day"],
                "schema": [{"name": name, "type": kind} for name, kind in KINDS.items()],
            }
        ]
    }
)
ROWS: list[dict[str, Any]] = [
    dict(zip(KINDS, row, strict=True))
    for row in [
        (1, "a" * 40, "0001-01-01", "0.000000000000000001", -128, "NaN", "-0.0", True, "0001-01-01T00:00:00Z", ""),
        (2, "é" * 31 + "🙂x", "9999-12-31", "-99999999999999999999.9", 127, "-Infinity", "3.4E38", False, None, "/w=="),
        (3, "", "1582-10-10", None, None, None, None, None, "9999-12-31T23:59:59.999999Z", None),
        (4, 'it\'s "one"\n', "1900-01-01", "1", 0, "0.1", "0.1", None, "1883-11-18T12:00:00.000001Z", "AAE="),
    ]
]

BATCHES = [
    [debezium("c", number, row) for number, row in enumerate(ROWS[:3], 1)],
    [debezium("u", number, row | {"flag": None, "small": 5}) for number, row in enumerate(ROWS, 10)],
]


def values(spark: SparkSession, lake: Path, maker: MakeTableWriter) -> str:
    """Writes the rows, then each again with other values, and one more; gives the history's place."""
    writer = LakeWriter(spark, USE_CASE, Locations(USE_CASE, lake), "query-1", make_table_writer=maker)
    for batch, texts in enumerate(BATCHES):
        writer.write(records(spark, texts, first=batch * 100), batch)
    return Locations(USE_CASE, lake).table(USE_CASE.tables[0]).history


def rows_of(spark: SparkSession, path: str) -> list[str]:
    """As texts: Python has no year before the first."""
    rows = spark.read.format("delta").load(path).drop("_ingested_at").withColumn("raw", F.hex("raw"))
    return sorted(str(row) for row in rows.select(*(F.col(name).cast("string") for name in rows.columns)).collect())


@pytest.mark.slow
def test_every_value_is_what_spark_would_have_written(spark: SparkSession, tmp_path: Path) -> None:
    driver, plain = values(spark, tmp_path / "driver", TableWriter), values(spark, tmp_path / "spark", SettledBySpark)
    assert rows_of(spark, driver) == rows_of(spark, plain)
    assert (len(rows_of(spark, driver)), written_by(driver), written_by(plain)) == (
        7,
        {"parquet-cpp-arrow"},
        {"parquet-mr"},
    )
    assert verify_table(USE_CASE, tmp_path / "driver", USE_CASE.tables[0]).is_same
    others = spark.newSession()  # of somebody who has set nothing
    for name in ("datetimeRebaseModeInRead", "int96RebaseModeInRead"):
        others.conf.unset(f"spark.sql.parquet.{name}")
    assert rows_of(others, driver) == rows_of(spark, plain)
    assert DeltaTable(driver).to_pyarrow_table().num_rows == 7


@pytest.mark.slow
def test_files_have_the_statistics_that_delta_keeps_of_its_own(spark: SparkSession, tmp_path: Path) -> None:
    path = values(spark, tmp_path, SettledBySpark)
    seen = delta.snapshot(spark, path)
    assert seen is not None
    schema = arrow_schema(seen.schema_json)
    committed = delta.read_files(spark, path, seen.version)
    assert schema is not None
    assert committed is not None
    for file in committed.added:
        rows = ArrowFiles(path).read(stored_file(file), schema.remove(schema.get_field_index("_is_current")), 2**20)
        ours = json.loads(statistics_text(rows, delta.history_statistics(USE_CASE.tables[0])))
        theirs = json.loads(file.stats())
        # Delta rounds a text that it cuts up by the lowest character that does, and this by the highest there is.
        highest = [stats["maxValues"].pop("code") for stats in (ours, theirs)]
        assert highest[0][:32] == highest[1][:32]
        assert ours == theirs


@pytest.mark.parametrize("limits", [DriverLimits(rows=3), DriverLimits(files=0), DriverLimits(bytes=1)], ids=str)
def test_what_is_too_much_for_the_driver_is_settled_by_spark(
    spark: SparkSession, tmp_path: Path, limits: DriverLimits
) -> None:
    class Small(TableWriter):
        @property
        def history(self) -> HistoryWriter:  # type: ignore[override]
            return HistoryWriter(self.session, self.table, self.locations, driver_limits=limits)

    path = values(spark, tmp_path, Small)
    assert written_by(path) == {"parquet-mr"}
    assert verify_table(USE_CASE, tmp_path, USE_CASE.tables[0]).is_same


@contextmanager
def no_room() -> Iterator[None]:
    """Meanwhile this process can't write to files; the JVM, a process of its own, can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("capsys")  # what is logged goes into memory: files are full
@pytest.mark.parametrize(("store", "library"), [(nullcontext, "parquet-cpp-arrow"), (no_room, "parquet-mr")])
def test_what_the_store_refuses_to_this_process_alone_is_settled_by_spark(
    spark: SparkSession, tmp_path: Path, store: Callable[[], AbstractContextManager[None]], library: str
) -> None:
    settings = USE_CASE.settings.model_copy(update={"settle": SettlePolicy(policy="rows", rows=100)})
    lazy = USE_CASE.model_copy(update={"settings": settings})
    writer, places = LakeWriter(spark, lazy, Locations(lazy, tmp_path), "query-1"), Locations(lazy, tmp_path)
    history = HistoryWriter(spark, lazy.tables[0], places.table(lazy.tables[0]))
    for batch, texts in enumerate(BATCHES):
        writer.write(records(spark, texts, first=batch * 100), batch)
        with store():
            history.settle()
    assert written_by(places.table(lazy.tables[0]).history) == {library}
    assert verify_table(lazy, tmp_path, lazy.tables[0]).is_same


def test_a_column_that_nobody_configures_any_more_keeps_its_values(spark: SparkSession, tmp_path: Path) -> None:
    path = values(spark, tmp_path, TableWriter)
    (table,) = USE_CASE.tables
    fewer = table.model_copy(update={"columns": tuple(each for each in table.columns if each.name != "small")})
    use_case = USE_CASE.model_copy(update={"tables": (fewer,)})
    writer = LakeWriter(spark, use_case, Locations(use_case, tmp_path), "query-1")
    writer.write(records(spark, [debezium("d", 90, ROWS[0])], first=900), 2)
    writer.write(records(spark, [debezium("c", 91, ROWS[0])], first=901), 3)
    smalls = spark.read.format("delta").load(path).where("id = 1").orderBy("_sequence").select("small").collect()
    assert [row.small for row in smalls] == [-128, 5, None]
    assert written_by(path) == {"parquet-cpp-arrow"}
