"""Tier 2: sixty lives in one run through the real writer, in three batchings, each with its own shuffle."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.io.events_file import RECORD_SCHEMA
from fluvial.io.lake_writer import LakeWriter
from tests.campaign import sized
from tests.spark.lake_checks import check_accounts, check_table, history_of
from tests.spark.lake_rows import Rows, data_files
from tests.spark.packs import TABLES, USE_CASE, Message, Pack, kafka_record, pack

BATCHINGS = (1, 2, 5)


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
        write(spark, lake, "query-1", lives.batches(count))
        for table in TABLES:
            check_table(lake, table, lives.events[table])
        check_accounts(lake, TABLES, len(lives.messages), count)
        histories.append({table: comparable(history_of(lake, table)) for table in TABLES})
    assert histories[0] == histories[1] == histories[2], "H7: batchings differ"
    files = data_files(tmp_path)
    write(spark, tmp_path / str(BATCHINGS[-1]), "query-2", lives.batches(1))
    assert data_files(tmp_path) == files, "H6: a second delivery wrote a file"


def write(spark: SparkSession, lake: Path, query: str, batches: Sequence[Sequence[Message]]) -> None:
    writer = LakeWriter(spark, USE_CASE, Locations(USE_CASE, lake), query)
    for number, messages in enumerate(batches):
        writer.write(spark.createDataFrame([kafka_record(message) for message in messages], RECORD_SCHEMA), number)


def comparable(history: Rows) -> list[str]:
    return sorted(str({name: value for name, value in row.items() if name != "_ingested_at"}) for row in history)
