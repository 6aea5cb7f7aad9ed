import os
import signal
import sys
from pathlib import Path

import pytest

from fluvial.errors import StackBusyError
from fluvial.local.home import Home
from fluvial.local.process import is_alive, start_process, stop_process
from fluvial.local.progress import no_progress
from fluvial.local.run_session import run_session

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_second_run_beside_the_first_is_refused_and_breaks_nothing(home: Home) -> None:
    with run_session(home, no_progress):
        start_process(home, "streaming-shop", SLEEP)
        with (
            pytest.raises(StackBusyError, match=f"process {os.getpid()} \\(fluvial run"),
            run_session(home, no_progress),
        ):
            pass
        assert is_alive(home, "streaming-shop")


def test_the_end_stops_what_the_run_started(home: Home) -> None:
    with run_session(home, no_progress):
        start_process(home, "streaming-shop", SLEEP)
    assert not is_alive(home, "streaming-shop")


def _fail(home: Home) -> None:
    with run_session(home, no_progress):
        start_process(home, "streaming-shop", SLEEP)
        raise ZeroDivisionError


def _receive(home: Home, number: signal.Signals) -> None:
    with run_session(home, no_progress):
        start_process(home, "streaming-shop", SLEEP)
        os.kill(os.getpid(), number)


def test_an_error_stops_it_as_well(home: Home) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail(home)
    assert not is_alive(home, "streaming-shop")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_as_well(home: Home, number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        _receive(home, number)
    assert not is_alive(home, "streaming-shop")


def test_what_ran_before_stays(home: Home) -> None:
    start_process(home, "streaming-other", SLEEP)
    with run_session(home, no_progress):
        start_process(home, "streaming-shop", SLEEP)
    assert (is_alive(home, "streaming-other"), is_alive(home, "streaming-shop")) == (True, False)
    stop_process(home, "streaming-other")


def test_what_a_killed_run_left_is_the_next_ones_to_stop(home: Home) -> None:
    start_process(home, "streaming-shop", SLEEP)
    (home.run / "run-started").touch()
    with run_session(home, no_progress):
        pass
    assert not is_alive(home, "streaming-shop")
