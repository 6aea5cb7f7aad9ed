"""A table that can't be written is parked: the others go on, and what it missed is written once it can be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.circuit_breaker import CircuitBreaker
from fluvial.config.lanes import lanes_of
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import StorageError
from fluvial.io.broker_offsets import Bounds, FixedOffsets
from fluvial.io.failing_tables import FailingTables
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.offset_guard import OffsetGuard
from fluvial.io.parked import OffsetRange
from fluvial.io.parked_retry import ParkedRetry
from fluvial.io.parking import Parking
from fluvial.io.query_offsets import PlannedBatch, SoleTopic
from fluvial.io.state_files import MemoryFiles
from fluvial.io.topic_ids import TopicIds
from fluvial.io.verify import verify_table
from fluvial.streams import TableCounts
from tests.spark.records import debezium, records

ITEMS, PEOPLE = "cdc-items", "cdc-people"
GOOD, BAD = "1.00", "999.00"


def item(key: int, a: str, price: str = GOOD) -> dict[str, object]:
    return {"id": key, "a": a, "b": "b", "price": price, "seen_at": None}


def person(key: int) -> dict[str, object]:
    return {"id": key, "email": "x@y.z", "age": 3}


@dataclass
class Lane:
    """The tiny lake's main lane, its topics as they are in Kafka, and a clock that a test moves."""

    spark: SparkSession
    use_case: UseCase
    lake: Path
    files: MemoryFiles = field(default_factory=MemoryFiles)
    topic_files: MemoryFiles = field(default_factory=MemoryFiles)
    tables: FailingTables = field(default_factory=FailingTables)
    broker: FixedOffsets = field(default_factory=FixedOffsets)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    topics: dict[str, list[Any]] = field(default_factory=lambda: {ITEMS: [], PEOPLE: []})
    batches: list[dict[str, tuple[int, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A driver that knows nothing but what is on disk."""
        self.parking = Parking(self.files, "main", 1000, lambda: 1.0)
        self.writer = LakeWriter(
            self.spark,
            self.use_case,
            Locations(self.use_case, self.lake),
            "query-1",
            clock=lambda: self.now,
            parking=self.parking,
            make_table_writer=self.tables,
        )

    def produce(self, **values: list[str | None]) -> int:
        """New records, and the number of the micro-batch that will hold them."""
        planned = {}
        for topic, new in ((ITEMS, values.get("items", [])), (PEOPLE, values.get("people", []))):
            first = len(self.topics[topic])
            self.topics[topic] += new
            planned[topic] = (first, len(self.topics[topic]))
            self.broker.topics[topic] = {0: Bounds(0, len(self.topics[topic]))}
        self.batches.append(planned)
        return len(self.batches) - 1

    def write(self, batch: int) -> dict[str, TableCounts]:
        ranges = [OffsetRange(topic, 0, *span) for topic, span in self.batches[batch].items()]
        return self.writer.write(self.read(ranges), batch)

    def read(self, ranges: Sequence[OffsetRange]) -> DataFrame:
        frames = [
            records(self.spark, self.topics[each.topic][each.first : each.end], each.topic, each.first)
            for each in ranges
        ]
        frame = frames[0]
        for other in frames[1:]:
            frame = frame.union(other)
        return frame

    def retry(self, minutes: int = 10) -> None:
        self.now += timedelta(minutes=minutes)
        lane = lanes_of(self.use_case)[0]
        ids = TopicIds(self.topic_files)
        ParkedRetry(lane, self.writer, self.parking, self.read, self.broker, ids).run(self.now)

    def guard(self) -> OffsetGuard:
        """Of one micro-batch, by a driver that has just started."""
        lane, ids = lanes_of(self.use_case)[0], TopicIds(self.topic_files)
        places, clock = self.writer.locations, lambda: self.now
        return OffsetGuard(self.spark, lane, places, self.parking, self.broker, ids, clock)

    def waiting(self, table: str) -> int | None:
        parked = self.parking.find(table)
        return parked.waiting if parked is not None and parked.is_parked else None

    def rows(self, path: str, *names: str) -> list[tuple[object, ...]]:
        return sorted(tuple(row) for row in self.spark.read.format("delta").load(path).select(*names).collect())

    def accounts(self, table: str) -> list[tuple[object, ...]]:
        """(batch, consumed, log rows, quarantined, dead letters, tombstones, duplicates)"""
        path = Locations(self.use_case, self.lake).batches
        names = ("table", "batch_id", "consumed", "log_rows", "quarantined", "dead_letters", "tombstones", "duplicates")
        return [row[1:] for row in self.rows(path, *names) if row[0] == table]

    def measured(self, table: str) -> list[tuple[object, ...]]:
        path = Locations(self.use_case, self.lake).dq_metrics
        found = self.rows(path, "table", "batch_id", "metric", "value")
        return [row[1:] for row in found if row[0] == table and row[2] == "size"]

    def is_sound(self) -> bool:
        """Whether history is what the log says, and nothing is anywhere twice."""
        places = Locations(self.use_case, self.lake).table(self.use_case.table("items"))
        quarantined = self.spark.read.format("delta").load(places.quarantine)
        is_once = quarantined.groupBy("_sequence").count().where(F.col("count") > 1).count() == 0
        return is_once and verify_table(self.use_case, self.lake, self.use_case.table("items")).is_same


@pytest.fixture
def lane(spark: SparkSession, tiny: UseCase, lake: Path) -> Lane:
    return Lane(spark, tiny, lake)


def first_batch(lane: Lane) -> int:
    values = [debezium("c", 5, item(1, "A")), debezium("u", 6, item(1, "A", BAD)), "broken", None]
    return lane.produce(items=[*values], people=[debezium("c", 5, person(1))])


def second_batch(lane: Lane) -> int:
    return lane.produce(items=[debezium("u", 7, item(1, "C"))], people=[debezium("c", 6, person(2))])


@pytest.mark.parametrize("place", ["before quarantine", "after log"])
def test_wherever_a_table_fails_it_catches_up_as_if_nothing_had_happened(lane: Lane, place: str) -> None:
    lane.tables.places = {"items": place}
    assert set(lane.write(first_batch(lane))) == {"people"}
    assert set(lane.write(second_batch(lane))) == {"people"}
    assert lane.waiting("items") == 5
    lane.tables.places = {}
    lane.start()
    lane.retry()
    assert lane.waiting("items") == 1
    lane.retry(0)
    assert lane.waiting("items") is None
    third = lane.produce(items=[debezium("u", 8, item(1, "D"))], people=[])
    assert lane.write(third)["items"] == TableCounts(consumed=1, log_rows=1)
    assert lane.accounts("items") == [(0, 4, 1, 1, 1, 1, 0), (1, 1, 1, 0, 0, 0, 0), (2, 1, 1, 0, 0, 0, 0)]
    assert lane.accounts("people") == [(0, 1, 1, 0, 0, 0, 0), (1, 1, 1, 0, 0, 0, 0)]
    assert lane.measured("items") == [(0, "size", 2.0), (1, "size", 1.0), (2, "size", 1.0)]
    assert lane.is_sound()


def test_a_crash_before_the_batch_is_acknowledged_parks_nothing_twice_and_accounts_nothing_twice(lane: Lane) -> None:
    lane.tables.places = {"items": "after log"}
    batch = first_batch(lane)
    lane.write(batch)
    lane.start()
    lane.write(batch)
    assert lane.waiting("items") == 4
    lane.tables.places = {}
    lane.start()
    lane.retry()
    lane.start()
    assert lane.write(batch)["people"] == TableCounts(consumed=1, log_rows=1)
    assert lane.accounts("items") == [(0, 4, 1, 1, 1, 1, 0)]
    assert lane.accounts("people") == [(0, 1, 1, 0, 0, 0, 0)]
    assert lane.is_sound()


def test_a_batch_in_which_every_table_fails_is_tried_again_before_its_tables_are_parked(lane: Lane) -> None:
    lane.tables.places = {"items": "before log", "people": "before log"}
    batch = first_batch(lane)
    for _ in range(3):
        with pytest.raises(StorageError, match="can't write items, people: no way before log"):
            lane.write(batch)
    assert (lane.waiting("items"), lane.waiting("people")) == (None, None)
    assert lane.write(batch) == {}
    lane.retry()
    assert (lane.waiting("items"), lane.waiting("people")) == (4, 1)
    parked = lane.parking.find("items")
    assert parked is not None
    assert (parked.attempts, parked.next_try) == (2, lane.now + timedelta(seconds=4))


def test_a_table_that_can_not_even_be_parked_makes_the_batch_wait(lane: Lane) -> None:
    lane.tables.places = {"items": "before log"}
    lane.files.is_broken = True
    with pytest.raises(StorageError, match="can't write items"):
        lane.write(first_batch(lane))


def test_a_parked_table_whose_records_kafka_has_dropped_is_stopped_until_somebody_accepts_the_gap(lane: Lane) -> None:
    lane.tables.places = {"items": "before quarantine"}
    lane.write(first_batch(lane))
    lane.broker.topics[ITEMS] = {0: Bounds(2, 4)}
    lane.tables.places = {}
    lane.retry()
    parked = lane.parking.find("items")
    assert parked is not None
    assert parked.stop.startswith("cdc-items partition 0, offsets 0 to 1 are gone before anybody read them; take a new")
    lane.write(second_batch(lane))
    lane.broker.topics[ITEMS] = {0: Bounds(2, 5)}
    lane.retry()
    assert lane.waiting("items") == 5
    lane.parking.resume("items", lane.now)
    lane.retry()
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.accounts("items") == [(0, 2, 0, 0, 1, 1, 0), (1, 1, 1, 0, 0, 0, 0)]


def test_a_new_checkpoint_on_a_known_lake_stops_only_the_table_whose_topic_has_a_gap(lane: Lane) -> None:
    lane.write(first_batch(lane))
    lane.write(second_batch(lane))
    lane.broker.topics = {ITEMS: {0: Bounds(9, 9)}, PEOPLE: {0: Bounds(1, 3)}}
    guard = lane.guard()
    assert guard.look(PlannedBatch({}, {ITEMS: {0: 9}, PEOPLE: {0: 3}})) == {}
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop.startswith("cdc-items partition 0, offsets 5 to 8 are gone")
    assert lane.parking.find("people") is None


def test_a_topic_made_anew_is_stopped_and_what_the_query_went_past_is_not_lost(lane: Lane) -> None:
    lane.write(first_batch(lane))
    lane.broker.topics = {ITEMS: {0: Bounds(0, 3)}, PEOPLE: {0: Bounds(0, 1)}}
    guard = lane.guard()
    planned = PlannedBatch({ITEMS: {0: 4}, PEOPLE: {0: 1}}, {ITEMS: {0: 2}, PEOPLE: {0: 1}})
    lane.topics[ITEMS] = [debezium("c", 20 + number, item(20 + number, "N")) for number in range(3)]
    lane.writer.write(lane.read([OffsetRange(ITEMS, 0, 0, 0)]), 1, lambda: guard.look(planned))
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop.startswith("cdc-items was made anew: partition 0 ends at 3, and 4 was to come next")
    assert stopped.waiting == 2
    lane.parking.resume("items", lane.now)
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.accounts("items")[1:] == [(1, 2, 2, 0, 0, 0, 0)]


def test_a_topic_made_anew_that_has_grown_past_the_old_place_is_told_by_its_id_and_read_from_its_beginning(
    lane: Lane,
) -> None:
    lane.write(first_batch(lane))
    lane.broker.ids = {ITEMS: "A", PEOPLE: "P"}
    guard = lane.guard()
    assert guard.look(PlannedBatch({}, {ITEMS: {0: 4}, PEOPLE: {0: 1}})) == {}
    guard.end()
    lane.broker.ids |= {ITEMS: "B"}
    lane.broker.topics = {ITEMS: {0: Bounds(0, 6)}, PEOPLE: {0: Bounds(0, 1)}}
    lane.topics[ITEMS] = [debezium("c", 20 + number, item(20 + number, "N")) for number in range(6)]
    planned = PlannedBatch({ITEMS: {0: 4}, PEOPLE: {0: 1}}, {ITEMS: {0: 6}, PEOPLE: {0: 1}})
    for guard in (lane.guard(), lane.guard()):  # the first driver dies before it notes the new id
        lane.writer.write(lane.read([OffsetRange(ITEMS, 0, 4, 6)]), 1, lambda: guard.look(planned))  # noqa: B023
    guard.end()
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop.startswith("cdc-items was made anew: Kafka gives it another id; take a new snapshot of items")
    assert (stopped.waiting, lane.waiting("people")) == (6, None)
    lane.parking.resume("items", lane.now)
    assert lane.guard().look(planned) == {}
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.accounts("items")[1:] == [(1, 6, 6, 0, 0, 0, 0)]


def test_what_waits_is_not_read_from_a_topic_made_anew_that_has_grown_past_it(lane: Lane) -> None:
    lane.broker.ids = {ITEMS: "A", PEOPLE: "P"}
    lane.tables.places = {"items": "before log"}
    lane.write(first_batch(lane))
    guard = lane.guard()
    guard.look(PlannedBatch({}, {ITEMS: {0: 4}, PEOPLE: {0: 1}}))
    guard.end()
    lane.tables.places = {}
    lane.broker.ids |= {ITEMS: "B"}
    lane.broker.topics = {ITEMS: {0: Bounds(0, 6)}, PEOPLE: {0: Bounds(0, 1)}}
    lane.topics[ITEMS] = [debezium("c", 20 + number, item(20 + number, "N")) for number in range(6)]
    lane.retry()
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop.startswith("cdc-items was made anew: Kafka gives it another id; take a new snapshot of items")
    assert (stopped.waiting, lane.accounts("items")) == (4, [])


@pytest.fixture
def guarded(spark: SparkSession, tiny: UseCase, lake: Path) -> Lane:
    """The lane with a breaker that opens at half, from two bad records on."""
    breaker = CircuitBreaker(share=0.5, records=2)
    settings = tiny.settings.model_copy(update={"circuit_breaker": breaker})
    return Lane(spark, tiny.model_copy(update={"settings": settings}), lake)


def bad_batch(lane: Lane) -> int:
    values = [debezium("c", lsn, item(lsn, "A", BAD)) for lsn in (11, 12)]
    good = debezium("c", 13, item(13, "A"))
    return lane.produce(items=[*values, "broken", good], people=[debezium("c", 11, person(11))])


def test_a_table_whose_records_are_mostly_bad_is_stopped_and_nothing_of_them_is_written_until_somebody_decides(
    guarded: Lane,
) -> None:
    lane = guarded
    lane.write(lane.produce(items=[debezium("c", 5, item(1, "A"))]))
    assert lane.write(bad_batch(lane)) == {"people": TableCounts(consumed=1, log_rows=1)}
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop == (
        "3 of 4 change events of items are bad (price_range: 2, malformed JSON, or a field of the envelope has the "
        "wrong type: 1), 75%, and its circuit breaker opens at 50%; mend the source or the rules, then `fluvial down`, "
        "`fluvial parked resume items`, `fluvial up`; with `--quarantine` what is bad is set aside and the rest is "
        "written"
    )
    assert lane.write(second_batch(lane)).keys() == {"people"}
    assert lane.waiting("items") == 5
    assert [lane.accounts("items"), lane.measured("items")] == [[(0, 1, 1, 0, 0, 0, 0)], [(0, "size", 1.0)]]
    lane.parking.resume("items", lane.now)
    lane.retry()
    assert lane.waiting("items") == 5, "nothing is mended, so the breaker opens again"
    lane.parking.resume("items", lane.now, accepts_bad=True)
    lane.retry()
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.accounts("items")[1:] == [(1, 4, 1, 2, 1, 0, 0), (2, 1, 1, 0, 0, 0, 0)]
    assert lane.is_sound()


def test_what_a_mended_rule_lets_pass_is_written_once_the_table_goes_on(guarded: Lane) -> None:
    lane = guarded
    lane.write(bad_batch(lane))
    items = lane.use_case.table("items").model_copy(update={"dq_rules": ()})
    lane.use_case = lane.use_case.model_copy(update={"tables": (items, lane.use_case.table("people"))})
    lane.start()
    lane.parking.resume("items", lane.now)
    lane.retry()
    assert lane.waiting("items") is None
    assert lane.accounts("items") == [(0, 4, 3, 0, 1, 0, 0)]


def test_the_breaker_of_a_table_with_a_lane_of_its_own_opens_too_and_later_batches_wait(guarded: Lane) -> None:
    lane, sole = guarded, SoleTopic(ITEMS, 4)
    lane.write(lane.produce(items=[debezium("c", 5, item(1, "A"))]))
    for lsn in (21, 31):
        values = [debezium("c", lsn + number, item(lsn + number, "A", BAD)) for number in range(2)]
        batch = lane.produce(items=values)
        span = lane.batches[batch][ITEMS]
        assert lane.writer.write(lane.read([OffsetRange(ITEMS, 0, *span)]), batch, sole=sole) == {}
    stopped = lane.parking.find("items")
    assert stopped is not None
    assert stopped.stop.startswith("2 of 2 change events of items are bad (price_range: 2), 100%, and its circuit")
    assert stopped.waiting == 4


def test_without_a_place_to_wait_no_breaker_opens(guarded: Lane) -> None:
    lane = guarded
    lane.writer = LakeWriter(lane.spark, lane.use_case, Locations(lane.use_case, lane.lake), "query-1")
    assert lane.write(bad_batch(lane))["items"] == TableCounts(consumed=4, log_rows=1, quarantined=2, dead_letters=1)
