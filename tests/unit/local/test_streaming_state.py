from datetime import UTC, datetime
from pathlib import Path

from fluvial.config.locations import Locations
from fluvial.io.parked import BatchId, OffsetRange, Share
from fluvial.io.parking import Parking
from fluvial.io.state_files import LocalFiles
from fluvial.local.home import Home
from fluvial.local.streaming_state import (
    LaneState,
    StateReporter,
    describe_batches,
    read_parked_notices,
    read_streaming_state,
)
from tests.unit.io.lakes import VEHICLES, use_case_of

FLEET = use_case_of(VEHICLES, VEHICLES | {"name": "trips", "lane": "hot"})


def test_a_job_is_as_well_as_its_least_well_lane(tmp_path: Path) -> None:
    home = Home(tmp_path)
    report = StateReporter(home, FLEET)
    report("main", "running", 7, "")
    report("hot", "running", None, "")
    report("hot", "failed", None, "no broker")
    state = read_streaming_state("fleet", home)
    assert state is not None
    assert (state.state, state.batch_id, state.error) == ("failed", 7, "no broker")
    assert state.lanes == {"main": LaneState("running", 7), "hot": LaneState("failed", None, "no broker")}


def test_a_job_runs_once_all_its_lanes_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    report = StateReporter(home, FLEET)
    report("main", "running", None, "")
    before = read_streaming_state("fleet", home)
    report("hot", "running", None, "")
    after = read_streaming_state("fleet", home)
    assert (before and before.state, after and after.state) == ("starting", "running")


def test_a_lane_keeps_the_batch_it_said_last(tmp_path: Path) -> None:
    home = Home(tmp_path)
    report = StateReporter(home, FLEET)
    report("main", "running", 7, "")
    report("main", "stopping", None, "")
    state = read_streaming_state("fleet", home)
    assert state is not None
    assert describe_batches(state.lanes, state.batch_id) == "main: batch 7, hot: waiting for events"


def test_parked_tables_are_found_without_the_configuration(tmp_path: Path) -> None:
    home = Home(tmp_path)
    StateReporter(home, FLEET)
    parking = Parking(LocalFiles(Locations(FLEET, home.lake).parked), "hot", 100)
    parking.park(
        "trips", Share(BatchId("q", 7), 12, (OffsetRange("cdc-trips", 0, 5, 17),)), "no way", datetime.now(UTC)
    )
    assert [(each.table, each.lane, each.waiting, each.error) for each in read_parked_notices("fleet", home)] == [
        ("trips", "hot", 12, "no way")
    ]
