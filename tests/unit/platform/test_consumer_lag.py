from datetime import UTC, datetime
from pathlib import Path

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.parked import BatchId, OffsetRange, Share
from fluvial.io.parking import Parking
from fluvial.io.state_files import LocalFiles
from fluvial.local.consumer_lag import finished_by_topic, finished_offsets, waiting_records
from fluvial.local.home import Home
from tests.unit.io.lakes import VEHICLES, use_case_of


def use_case(lane: str) -> UseCase:
    return use_case_of(VEHICLES, VEHICLES | {"name": "trips", "lane": lane})


def write_batch(query: Path, batch: int, offsets: str, *, is_finished: bool) -> None:
    for folder in ("offsets", "commits"):
        (query / folder).mkdir(parents=True, exist_ok=True)
    (query / "offsets" / str(batch)).write_text('v1\n{"batchWatermarkMs":0}\n' + offsets)
    if is_finished:
        (query / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def test_only_finished_micro_batches_count(tmp_path: Path) -> None:
    write_batch(tmp_path, 9, '{"cdc-orders":{"0":100}}', is_finished=True)
    write_batch(tmp_path, 10, '{"cdc-orders":{"0":250}}', is_finished=True)
    write_batch(tmp_path, 11, '{"cdc-orders":{"0":300}}', is_finished=False)

    assert finished_offsets(tmp_path) == {"cdc-orders": {"0": 250}}


def test_each_topic_counts_as_far_as_the_lane_has_come_that_reads_it_now(tmp_path: Path) -> None:
    home = Home(tmp_path)
    checkpoint = Path(Locations(use_case("hot"), home.lake).checkpoint)
    write_batch(checkpoint, 0, '{"cdc-vehicles":{"0":1},"cdc-trips":{"0":9}}', is_finished=True)
    write_batch(checkpoint / "lanes/hot", 0, '{"cdc-trips":{"0":2,"1":3}}', is_finished=True)

    assert finished_by_topic(use_case("hot"), home) == {"cdc-vehicles": {"0": 1}, "cdc-trips": {"0": 2, "1": 3}}
    assert finished_by_topic(use_case("main"), home) == {"cdc-vehicles": {"0": 1}, "cdc-trips": {"0": 9}}


def test_what_waits_for_a_parked_table_is_behind_as_well(tmp_path: Path) -> None:
    home, now = Home(tmp_path), datetime(2026, 1, 1, tzinfo=UTC)
    parking = Parking(LocalFiles(Locations(use_case("main"), home.lake).parked), "main", 100)
    parking.park("trips", Share(BatchId("q", 7), 12, (OffsetRange("cdc-trips", 0, 5, 17),)), "no way", now)

    assert waiting_records(use_case("main"), home) == {"trips": 12}


def test_no_checkpoint_means_nothing_is_finished(tmp_path: Path) -> None:
    assert finished_offsets(tmp_path / "absent") == {}
