"""A micro-batch of one topic is written in one pass, and whatever is unusual about it goes the usual way."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.parked import OffsetRange
from fluvial.io.query_offsets import SoleTopic
from fluvial.io.shares import PassedOver
from fluvial.streams import TableCounts
from tests.benchmarks.cost import Meter
from tests.spark.records import debezium
from tests.spark.test_parked_tables import BAD, ITEMS, Lane, item


@pytest.fixture
def lane(spark: SparkSession, tiny: UseCase, lake: Path) -> Lane:
    return Lane(spark, tiny, lake)


def write(
    lane: Lane, values: Sequence[str | None], find_passed_over: Callable[[], PassedOver] = dict
) -> dict[str, TableCounts]:
    """New records of one topic, written as a lane does that has looked into the plan of the query."""
    batch = lane.produce(items=list(values))
    span = lane.batches[batch][ITEMS]
    read = lane.read([OffsetRange(ITEMS, 0, *span)])
    return lane.writer.write(read, batch, find_passed_over, SoleTopic(ITEMS, span[1] - span[0] + 1))


def logged(lane: Lane) -> list[tuple[object, ...]]:
    return lane.rows(Locations(lane.use_case, lane.lake).table(lane.use_case.table("items")).log, "_offset")


def first_batch(lane: Lane) -> dict[str, TableCounts]:
    return write(lane, [debezium("c", 5, item(1, "A")), debezium("u", 6, item(1, "A", BAD)), "broken", None])


def test_what_it_holds_is_not_counted_by_a_job_of_its_own(lane: Lane) -> None:
    expected = TableCounts(consumed=4, log_rows=1, quarantined=1, dead_letters=1, tombstones=1)
    assert first_batch(lane) == {"items": expected}
    write(lane, [debezium("u", 7, item(1, "B"))])
    meter = Meter(lane.spark)
    before = meter.jobs_so_far()
    one = {"items": TableCounts(consumed=1, log_rows=1)}
    assert write(lane, [debezium("u", 8, item(1, "C"))]) == one
    sole = meter.jobs_so_far() - before
    before = meter.jobs_so_far()
    assert lane.write(lane.produce(items=[debezium("u", 9, item(1, "D"))])) == one
    assert meter.jobs_so_far() - before == sole + 1
    assert lane.accounts("items")[0] == (0, 4, 1, 1, 1, 1, 0)
    assert lane.is_sound()


@pytest.mark.parametrize("place", ["before quarantine", "before log"])
def test_a_table_that_fails_is_parked_and_catches_up(lane: Lane, place: str) -> None:
    lane.tables.places = {"items": place}
    assert first_batch(lane) == {}
    assert lane.waiting("items") == 4
    assert write(lane, [debezium("u", 7, item(1, "B"))]) == {}
    assert lane.waiting("items") == 5
    lane.tables.places = {}
    lane.retry()
    lane.retry(0)
    assert write(lane, [debezium("u", 8, item(1, "C"))]) == {"items": TableCounts(consumed=1, log_rows=1)}
    assert lane.accounts("items") == [(0, 4, 1, 1, 1, 1, 0), (1, 1, 1, 0, 0, 0, 0), (2, 1, 1, 0, 0, 0, 0)]
    assert lane.measured("items") == [(0, "size", 2.0), (1, "size", 1.0), (2, "size", 1.0)]
    assert lane.is_sound()


def test_a_failure_that_passes_parks_nothing(lane: Lane) -> None:
    first_batch(lane)
    lane.tables.places = {"items": "before log"}
    looks: list[int] = []

    def mend_at_the_second_look() -> PassedOver:
        looks.append(1)
        lane.tables.places = {} if len(looks) > 1 else lane.tables.places
        return {}

    written = write(lane, [debezium("u", 7, item(1, "B"))], mend_at_the_second_look)
    assert written == {"items": TableCounts(consumed=1, log_rows=1)}
    assert lane.waiting("items") is None
    assert lane.is_sound()


def test_a_gap_that_is_found_when_the_records_are_in_hand_stops_the_table_before_anything_is_written(
    lane: Lane,
) -> None:
    first_batch(lane)
    before = logged(lane)

    def stop() -> PassedOver:
        lane.parking.stop("items", "a gap", lane.now)
        return {}

    assert write(lane, [debezium("u", 7, item(1, "B"))], stop) == {}
    assert logged(lane) == before
    assert lane.waiting("items") == 1
    lane.parking.resume("items", lane.now)
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.is_sound()


def test_a_topic_that_no_table_claims_goes_to_the_dead_letters(lane: Lane) -> None:
    batch = lane.produce(people=["{}"])
    read = lane.read([OffsetRange("cdc-people", 0, 0, 1)]).replace("cdc-people", "cdc-strangers", "topic")
    counts = lane.writer.write(read, batch, sole=SoleTopic("cdc-strangers", 1))
    assert [count.dead_letters for count in counts.values()] == [1]
