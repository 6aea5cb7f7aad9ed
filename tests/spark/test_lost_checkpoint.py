"""A process dies in the middle of a batch and its checkpoint is lost: another query cuts the records differently."""

from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.events_file import RECORD_SCHEMA
from fluvial.io.failpoints import FAILPOINTS, Crash, CrashAt
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.verify import verify_table
from fluvial.streams import TableCounts
from tests.campaign import IS_FULL
from tests.spark.lake_rows import Rows, read_rows
from tests.spark.records import MakeWriter, debezium, records

PLACES = FAILPOINTS if IS_FULL else ("after dead letters", "after quarantine", "after log")


def item(a: str | None) -> dict[str, object]:
    return {"id": 1, "a": a, "b": "b", "price": "1.00", "seen_at": None}


INSERT, UPDATE = debezium("c", 5, item("A")), debezium("u", 7, item("C"))
BAD, WORSE = debezium("u", 6, item(None)), debezium("u", 8, item(None))


@pytest.fixture
def topic(spark: SparkSession) -> DataFrame:
    """Seven records, the newest first; the connector has sent one of the bad ones twice."""
    rows = records(spark, [INSERT, BAD, BAD, "garbage", UPDATE, WORSE, "more garbage"]).collect()
    return spark.createDataFrame(rows[::-1], RECORD_SCHEMA)


def die(spark: SparkSession, use_case: UseCase, lake: Path, topic: DataFrame, place: str) -> None:
    """Query 1 dies in its first batch, which holds five of the records."""
    writer = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1", failpoints=CrashAt(place))
    with pytest.raises(Crash):
        writer.write(topic.where("offset < 5"), 0)


def assert_once(rows: Rows, *names: str) -> None:
    assert [
        place for place, count in Counter(tuple(row[name] for name in names) for row in rows).items() if count > 1
    ] == []


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("place", PLACES)
def test_what_a_lost_batch_has_written_is_not_written_again(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter, topic: DataFrame, place: str
) -> None:
    die(spark, tiny, lake, topic, place)
    writer = make_writer("query-2")
    writer.write(topic.where("offset < 2"), 0)
    writer.write(topic.where("offset >= 2"), 1)
    places = Locations(tiny, lake)
    items = places.table(tiny.table("items"))
    assert sorted(row["_offset"] for row in read_rows(items.quarantine)) == [1, 5]
    assert sorted(row["_offset"] for row in read_rows(items.log)) == [0, 1, 4, 5]
    assert sorted(row["offset"] for row in read_rows(places.dead_letters)) == [3, 6]
    assert verify_table(tiny, lake, tiny.table("items")).is_same
    batch = ("query_id", "batch_id")
    assert_once(read_rows(places.dq_metrics), *batch, "metric", "column")
    assert_once(read_rows(places.batches), *batch)


def test_what_a_lost_batch_has_logged_is_a_duplicate_for_the_next_query(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter, topic: DataFrame
) -> None:
    die(spark, tiny, lake, topic, "after log")
    counts = make_writer("query-2").write(topic, 0)
    assert counts == {"items": TableCounts(consumed=7, quarantined=1, dead_letters=1, duplicates=5)}
