"""Tier 2: eighty lives in one run through the real writer, in three batchings, each with its own shuffle."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.settle import SettlePolicy
from fluvial.io.events_file import RECORD_SCHEMA
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.query import open_lake
from fluvial.io.settling import settle_tables
from fluvial.io.table_writer import TableWriter
from fluvial.io.table_writers import MakeTableWriter
from tests.campaign import sized
from tests.spark.lake_checks import check_accounts, check_table, history_of
from tests.spark.lake_rows import Rows, data_files, written_by
from tests.spark.packs import TABLES, USE_CASE, Message, Pack, kafka_record, pack
from tests.spark.settled_by_spark import SettledBySpark

BATCHINGS = (1, 2, 5)
BY_SPARK = 2
"""Micro-batches, of which Spark settles each; what waits in the others is little enough for the driver."""
DRIVER = "parquet-cpp-arrow"
LAZY = USE_CASE.model_copy(
    update={"settings": USE_CASE.settings.model_copy(update={"settle": SettlePolicy(policy="rows", rows=1000)})}
)
"""In five micro-batches each table is settled once on the way, late events and all, and has some rows that wait."""


@pytest.fixture(scope="module", params=sized(1, 10), ids="pack{}".format)
def lives(request: pytest.FixtureRequest) -> Pack:
    number: int = request.param
    return pack(number)


@pytest.mark.slow
@pytest.mark.campaign
def test_the_lake_is_what_the_oracle_says_in_every_batching(spark: SparkSession, lives: Pack, tmp_path: Path) -> None:
    histories = []
    for count in BATCHINGS:
        lake = tmp_path / str(count)
        maker = SettledBySpark if count == BY_SPARK else TableWriter
        write(spark, lake, "query-1", lives.batches(count), LAZY if count == BATCHINGS[-1] else USE_CASE, maker)
        if count == BATCHINGS[-1]:
            settle_what_waits(spark, lake)
        for table in TABLES:
            check_table(lake, table, lives.events[table])
            is_by_driver = count != BY_SPARK and count > 1
            assert (DRIVER in written_by(history_path(lake, table))) == is_by_driver
        check_accounts(lake, TABLES, len(lives.messages), count)
        histories.append({table: comparable(history_of(lake, table)) for table in TABLES})
    assert histories[0] == histories[1] == histories[2], "H7: batchings differ"
    files = data_files(tmp_path)
    write(spark, tmp_path / str(BATCHINGS[-1]), "query-2", lives.batches(1))
    assert data_files(tmp_path) == files, "H6: a second delivery wrote a file"


def write(
    spark: SparkSession,
    lake: Path,
    query: str,
    batches: Sequence[Sequence[Message]],
    use_case: UseCase = USE_CASE,
    maker: MakeTableWriter = TableWriter,
) -> None:
    writer = LakeWriter(spark, use_case, Locations(use_case, lake), query, make_table_writer=maker)
    for number, messages in enumerate(batches):
        writer.write(spark.createDataFrame([kafka_record(message) for message in messages], RECORD_SCHEMA), number)


def history_path(lake: Path, table: str) -> str:
    return Locations(USE_CASE, lake).table(USE_CASE.table(table)).history


def settle_what_waits(spark: SparkSession, lake: Path) -> None:
    """The live view shows before what the history says after."""
    live = {table: versions_in(lake, f"{table}__live") for table in TABLES}
    waiting = {table: versions_in(lake, table) for table in TABLES}
    assert all(len(waiting[table]) > 0 and waiting[table] != live[table] for table in TABLES)
    assert [report.error for report in settle_tables(spark, USE_CASE.tables, Locations(USE_CASE, lake))] == [""] * 4
    assert {table: versions_in(lake, table) for table in TABLES} == live


def versions_in(lake: Path, view: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT * EXCLUDE (_ingested_at) FROM {view} ORDER BY seed, id, _sequence"
    return open_lake(USE_CASE, lake, sql).execute(sql).fetchall()


def comparable(history: Rows) -> list[str]:
    return sorted(str({name: value for name, value in row.items() if name != "_ingested_at"}) for row in history)
