"""Locks between processes of the same machine; the system lets go of them when their holder dies."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from fluvial.errors import StackBusyError
from fluvial.local.state_files import accessing

POLL_SECONDS: Final = 0.1


@contextmanager
def exclusive(
    path: Path, purpose: str, wait_seconds: float, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock file `path`; a StackBusyError after `wait_seconds` says who holds it and what for."""
    with accessing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    with file:
        _acquire(file, path, wait_seconds, on_wait)
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "purpose": purpose, "since": time.strftime("%H:%M:%S")}))
        file.flush()
        yield


def _acquire(file: IO[str], path: Path, wait_seconds: float, on_wait: Callable[[], None]) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _busy(path) from None
        on_wait()
        time.sleep(POLL_SECONDS)


def _busy(path: Path) -> StackBusyError:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {holder['pid']} ({holder['purpose']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        who = "another fluvial process"
    return StackBusyError(
        f"{who} is working in {path.parent}", "wait until it has ended, or use a FLUVIAL_HOME of your own"
    )
