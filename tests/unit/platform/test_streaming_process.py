import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluvial.errors import StackBusyError, StackError
from fluvial.local.endpoints import Endpoints, write_endpoints
from fluvial.local.home import Home
from fluvial.local.streaming import sole_driver, sole_writer, start_streaming, stop_streaming
from fluvial.local.streaming_state import read_streaming_state
from tests.unit.io.lakes import use_case_of

SHOP = use_case_of().model_copy(update={"name": "shop"})
JOB = """
import json, os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(json.dumps(
    {"pid": os.getpid(), "state": "running", "batch_id": 3, "updated_at": "2026-01-01T00:00:00Z", "error": None}
))
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose stack was started once; a job left in it is stopped."""
    home = Home(tmp_path / "home")
    write_endpoints(home, Endpoints(1, 2, 3, "secret"))
    yield home
    stop_streaming("shop", home)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A tables.yaml of a use case named shop; its content is nobody's business here."""
    path = tmp_path / "shop" / "tables.yaml"
    path.parent.mkdir()
    path.write_text("settings: {}\n")
    return path


@pytest.fixture
def job(home: Home) -> tuple[str, ...]:
    """A stand-in for the streaming job that says at once that it runs."""
    return (sys.executable, "-c", JOB, str(home.run / "streaming-shop.json"))


def pid(home: Home) -> int:
    state = read_streaming_state("shop", home)
    return state.pid if state else 0


def test_a_job_is_started_once_it_says_that_it_runs(home: Home, tables: Path, job: tuple[str, ...]) -> None:
    assert start_streaming(tables, home, job) == "started"
    assert pid(home) > 0


def test_a_sole_writer_keeps_the_job_from_starting_and_lets_it_start_afterwards(
    home: Home, tables: Path, job: tuple[str, ...]
) -> None:
    with sole_writer(SHOP, home, "mending"), pytest.raises(StackBusyError, match=r"\(mending, since"):
        start_streaming(tables, home, job, lease_seconds=0)
    assert start_streaming(tables, home, job) == "started"


def test_beside_a_running_job_there_is_no_sole_writer(home: Home, tables: Path, job: tuple[str, ...]) -> None:
    start_streaming(tables, home, job)
    with pytest.raises(StackBusyError, match="the streaming job of 'shop' writes"), sole_writer(SHOP, home, "mending"):
        pass


def test_a_second_driver_is_refused_however_it_was_started(home: Home) -> None:
    with (
        sole_driver(SHOP, home),
        pytest.raises(StackBusyError, match=r"\(the streaming job, since"),
        sole_driver(SHOP, home),
    ):
        pass
    with sole_driver(SHOP, home), pytest.raises(StackBusyError), sole_writer(SHOP, home, "fluvial replay"):
        pass
    with (
        sole_writer(SHOP, home, "fluvial replay"),
        pytest.raises(StackBusyError, match=r"\(fluvial replay, since"),
        sole_driver(SHOP, home),
    ):
        pass


def test_a_copy_of_a_configuration_writes_the_same_lake(home: Home) -> None:
    copy = SHOP.model_copy(update={"name": "shop-edited"})
    elsewhere = copy.model_copy(update={"settings": copy.settings.model_copy(update={"delta_bucket": "s3://other"})})
    with (
        sole_driver(SHOP, home),
        sole_driver(elsewhere, home),
        pytest.raises(StackBusyError, match=r"\(the streaming job, since"),
        sole_writer(copy, home, "mending"),
    ):
        pass


def test_a_job_that_runs_is_kept(home: Home, tables: Path, job: tuple[str, ...]) -> None:
    start_streaming(tables, home, job)
    first = pid(home)

    assert start_streaming(tables, home, job) == "kept"
    assert pid(home) == first


def test_a_changed_tables_yaml_restarts_the_job(home: Home, tables: Path, job: tuple[str, ...]) -> None:
    start_streaming(tables, home, job)
    first = pid(home)
    tables.write_text("settings: {trigger_interval: 1 second}\n")

    assert start_streaming(tables, home, job) == "restarted"
    assert pid(home) != first


def test_a_job_that_dies_while_it_starts_shows_the_end_of_its_log(home: Home, tables: Path) -> None:
    dying = (sys.executable, "-c", "raise SystemExit('no memory left')")

    with pytest.raises(StackError, match="ended while it started") as raised:
        start_streaming(tables, home, dying)

    assert raised.value.log_tail == "no memory left"


def test_stopping_a_job_that_does_not_run_is_no_error(home: Home) -> None:
    assert stop_streaming("shop", home) is False
