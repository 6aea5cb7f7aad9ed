import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fluvial.errors import StackError
from fluvial.io.parked import BatchId, OffsetRange, Share
from fluvial.io.parking import Parking
from fluvial.io.state_files import LocalFiles
from fluvial.local.endpoints import Endpoints, write_endpoints
from fluvial.local.home import Home
from fluvial.local.ports import any_free_port
from fluvial.local.process import is_alive, process_names, start_process, stop_process
from fluvial.local.stack import down, status, up
from fluvial.local.status import PartState

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    write_endpoints(home, Endpoints(any_free_port(), any_free_port(), any_free_port(), "secret"))
    yield home
    for name in process_names(home):
        stop_process(home, name, timeout_seconds=0)


def states(home: Home) -> dict[str, PartState]:
    return {part.name: part.state for part in status(home)}


def test_in_an_empty_home_all_parts_are_stopped(tmp_path: Path) -> None:
    assert states(Home(tmp_path)) == dict.fromkeys(("postgres", "kafka", "connect"), PartState.STOPPED)


def test_a_part_that_runs_but_does_not_answer_is_unhealthy(home: Home) -> None:
    start_process(home, "postgres", SLEEPER)
    assert states(home)["postgres"] is PartState.UNHEALTHY


def test_a_part_whose_process_is_gone_has_crashed(home: Home) -> None:
    os.kill(start_process(home, "kafka", SLEEPER).pid, signal.SIGKILL)
    while is_alive(home, "kafka"):
        time.sleep(0.01)
    assert states(home)["kafka"] is PartState.CRASHED


def test_a_streaming_job_is_shown_with_its_own_words(home: Home) -> None:
    job = start_process(home, "streaming-orders", SLEEPER)
    said = {"pid": job.pid, "state": "running", "batch_id": 7, "updated_at": None, "error": None}
    (home.run / "streaming-orders.json").write_text(json.dumps(said))
    part = status(home)[-1]
    assert (part.name, part.state, part.detail) == ("streaming-orders", PartState.RUNNING, "batch 7")


def test_a_streaming_job_with_a_parked_table_is_not_well_and_says_which(home: Home) -> None:
    job, folder = start_process(home, "streaming-orders", SLEEPER), str(home.lake / "checkpoints/parked")
    said = {"pid": job.pid, "state": "running", "batch_id": 7, "updated_at": None, "parked_folder": folder}
    (home.run / "streaming-orders.json").write_text(json.dumps(said))
    share = Share(BatchId("q", 7), 12, (OffsetRange("cdc-lines", 0, 5, 17),))
    Parking(LocalFiles(folder), "main", 100).park("lines", share, "no way", datetime(2026, 1, 1, tzinfo=UTC))
    part = status(home)[-1]
    assert (part.state, [notice.table for notice in part.parked]) == (PartState.UNHEALTHY, ["lines"])
    assert part.detail.startswith("batch 7; lines (lane main) is parked since 2026-01-01T00:00:00+00:00, 12 records")


def test_down_stops_whatever_has_a_pid_file(home: Home) -> None:
    for name in ("streaming-orders", "airflow"):
        start_process(home, name, SLEEPER)
    assert set(down(home)) == {"streaming-orders", "airflow"}
    assert process_names(home) == ()


def test_down_where_nothing_runs_stops_nothing(tmp_path: Path) -> None:
    assert down(Home(tmp_path)) == ()


def test_a_path_that_kafka_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="holds a comma, a colon"):
        up(Home(tmp_path / "one,two"))
