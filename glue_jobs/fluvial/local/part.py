"""One part of the stack: how it is started, when it is ready, how it ends."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from fluvial.errors import StackError
from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.process import (
    Process,
    is_running,
    log_path,
    read_log_tail,
    read_process,
    start_process,
    stop_process,
)
from fluvial.local.state_files import accessing, disk_full

POLL_SECONDS: Final = 0.05
START_SECONDS: Final = 90.0
PATIENCE_SECONDS: Final = 20.0
ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2"}
"""glibc keeps a heap for each thread by default, which a JVM with many threads pays for."""


@dataclass(frozen=True)
class Part:
    """`prepare` may write into the home and returns the command; `check` raises NotReadyError until the part serves."""

    name: str
    prepare: Callable[[Home, Endpoints], Sequence[str]]
    check: Callable[[Endpoints], str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 30.0
    after_stop: Callable[[Home], None] = lambda _home: None


class NotReadyError(Exception):
    """A part doesn't serve yet, or no longer; the text says what it answered."""


def start_part(home: Home, endpoints: Endpoints, part: Part, cancelled: Event | None = None) -> None:
    """Start a part and wait until it serves or the waiting is cancelled; a StackError brings the end of its log.

    One that runs already but doesn't serve in time is started afresh.
    """
    running = read_process(home, part.name)
    if running is not None and is_running(running):
        if _wait_until_serving(endpoints, part, running, PATIENCE_SECONDS, cancelled) == "":
            return
        stop_part(home, part)
    process = start_process(home, part.name, part.prepare(home, endpoints), ENVIRONMENT)
    if answer := _wait_until_serving(endpoints, part, process, START_SECONDS, cancelled):
        raise start_failed(home, part.name, answer)


def _wait_until_serving(
    endpoints: Endpoints, part: Part, process: Process, seconds: float, cancelled: Event | None
) -> str:
    """What is wrong in the end, "" if nothing."""
    deadline, answer = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            part.check(endpoints)
        except NotReadyError as error:
            answer = str(error)
        else:
            return ""
        if not is_running(process):
            return "ended while it started"
        if cancelled is not None and cancelled.wait(POLL_SECONDS):
            return ""
        time.sleep(POLL_SECONDS)
    return f"does not serve after {seconds:.0f} s: {answer}"


def stop_part(home: Home, part: Part) -> bool:
    """End a part; whether it ran."""
    stopped = stop_process(home, part.name, stop_signal=part.stop_signal, timeout_seconds=part.stop_seconds)
    part.after_stop(home)
    return stopped


def run_to_end(home: Home, name: str, command: Sequence[str | Path], hint: str = "") -> None:
    """Run a part's own tool, its output in the part's log; a StackError where it fails."""
    path = log_path(home, name)
    with accessing(home.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise start_failed(home, name, f"can't be set up: {Path(command[0]).name} failed", hint)


def start_failed(home: Home, name: str, what: str, hint: str = "") -> StackError:
    """The error of a part that didn't come up."""
    tail = read_log_tail(home, name)
    if "No space left on device" in tail:
        return disk_full(home.root)
    return StackError(
        f"{name} {what}",
        hint or f"read {log_path(home, name)}, mend the reason and run `fluvial up` again; the data stays",
        part=name,
        log_path=log_path(home, name),
        log_tail=tail,
    )
