import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fluvial.errors import StackError
from fluvial.local.home import Home
from fluvial.local.process import (
    is_alive,
    log_path,
    process_names,
    read_log_tail,
    read_process,
    start_process,
    stop_process,
)

SLEEPER = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(60)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)",
]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    for name in process_names(home):
        stop_process(home, name, timeout_seconds=0)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """A zombie that nobody reaps is gone as well."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_started_process_is_alive_and_leads_a_session_of_its_own(home: Home) -> None:
    process = start_process(home, "job", SLEEPER)
    assert is_alive(home, "job")
    assert os.getsid(process.pid) == process.pid


def test_starting_again_leaves_a_running_process_alone(home: Home) -> None:
    assert start_process(home, "job", SLEEPER) == start_process(home, "job", SLEEPER)


def test_output_of_both_kinds_goes_to_the_log(home: Home) -> None:
    start_process(home, "job", ["sh", "-c", "echo out; echo err >&2"])
    wait_for(lambda: not is_alive(home, "job"))
    assert read_log_tail(home, "job") == "out\nerr"


def test_a_later_start_appends_to_the_log(home: Home) -> None:
    for word in ("first", "second"):
        start_process(home, "job", ["echo", word])
        wait_for(lambda: not is_alive(home, "job"))
    assert read_log_tail(home, "job") == "first\nsecond"


def test_the_tail_is_the_last_lines(home: Home) -> None:
    home.logs.mkdir()
    log_path(home, "job").write_text("".join(f"line {number}\n" for number in range(1000)))
    assert read_log_tail(home, "job", lines=2) == "line 998\nline 999"


def test_the_environment_is_added_to_our_own(home: Home) -> None:
    start_process(home, "job", ["sh", "-c", 'echo "$COLOUR $PATH"'], {"COLOUR": "red"})
    wait_for(lambda: not is_alive(home, "job"))
    assert read_log_tail(home, "job") == f"red {os.environ['PATH']}"


def test_a_child_hears_the_interrupt_that_a_background_shell_ignores(home: Home) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start_process(home, "job", SLEEPER)
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for(lambda: read_log_tail(home, "job") != "")
    assert stop_process(home, "job", stop_signal=signal.SIGINT, timeout_seconds=10)
    assert "KeyboardInterrupt" in read_log_tail(home, "job")


def test_a_killed_process_is_seen_as_dead(home: Home) -> None:
    process = start_process(home, "job", SLEEPER)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(home, "job"))
    assert process_names(home) == ("job",)


def test_a_killed_process_can_be_started_again(home: Home) -> None:
    first = start_process(home, "job", SLEEPER)
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(home, "job"))
    assert start_process(home, "job", SLEEPER).pid != first.pid
    assert is_alive(home, "job")


def test_a_number_that_now_means_another_process_is_dead_and_left_alone(home: Home) -> None:
    stranger = start_process(home, "stranger", SLEEPER)
    stale = {"name": "job", "pid": stranger.pid, "created": stranger.created - 3600, "command": SLEEPER}
    (home.run / "job.pid").write_text(json.dumps(stale))
    assert not is_alive(home, "job")
    assert not stop_process(home, "job")
    assert is_alive(home, "stranger")


@pytest.mark.parametrize("text", ["", "12", '{"pid": "x"}', "[1]"])
def test_an_unreadable_pid_file_counts_as_none(home: Home, text: str) -> None:
    home.run.mkdir()
    (home.run / "job.pid").write_text(text)
    assert read_process(home, "job") is None
    assert not is_alive(home, "job")


def test_stopping_takes_the_whole_group(home: Home) -> None:
    start_process(home, "job", PARENT)
    wait_for(lambda: read_log_tail(home, "job") != "")
    child = int(read_log_tail(home, "job"))
    assert stop_process(home, "job")
    wait_for(lambda: is_gone(child))


def test_starting_ends_what_a_killed_process_left_behind(home: Home) -> None:
    killed = start_process(home, "job", PARENT)
    wait_for(lambda: read_log_tail(home, "job") != "")
    child = int(read_log_tail(home, "job"))
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(home, "job"))
    start_process(home, "job", SLEEPER)
    wait_for(lambda: is_gone(child))


def test_a_process_that_ignores_the_signal_is_killed(home: Home) -> None:
    process = start_process(home, "job", STUBBORN)
    wait_for(lambda: read_log_tail(home, "job") == "deaf")
    assert stop_process(home, "job", timeout_seconds=0.2)
    assert is_gone(process.pid)


def test_stopping_what_never_ran_says_so(home: Home) -> None:
    assert not stop_process(home, "job")


def test_after_a_stop_there_is_no_pid_file(home: Home) -> None:
    start_process(home, "job", SLEEPER)
    stop_process(home, "job")
    assert process_names(home) == ()


def test_a_program_that_does_not_exist_is_named(home: Home) -> None:
    with pytest.raises(StackError, match=r"/no/such/program can't be started: No such file or directory"):
        start_process(home, "job", ["/no/such/program"])
