"""A run owns its home while it lasts: one at a time, and whatever it started is stopped, however it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from fluvial.local.home import Home
from fluvial.local.locks import exclusive
from fluvial.local.process import is_alive, process_names, stop_process
from fluvial.local.progress import Progress
from fluvial.local.stack import down
from fluvial.local.state_files import write_state

_STOP_SECONDS: Final = 60.0


@contextmanager
def run_session(home: Home, progress: Progress) -> Iterator[None]:
    """Raises StackBusyError beside another run; at the end stops everything that wasn't running before.

    SIGTERM becomes KeyboardInterrupt. What a killed run left running counts as this run's own.
    """
    marker = home.run / "run-started"
    with exclusive(home.run / "run.lock", "fluvial run", 0), _terminated_like_interrupted():
        kept = frozenset() if marker.exists() else _alive(home)
        write_state(marker, "")
        try:
            yield
        finally:
            with _uninterrupted():
                _stop(home, kept, progress)
                marker.unlink(missing_ok=True)


def _alive(home: Home) -> frozenset[str]:
    return frozenset(name for name in process_names(home) if is_alive(home, name))


def _stop(home: Home, kept: frozenset[str], progress: Progress) -> None:
    if not kept:
        down(home, progress)
        return
    # Somebody's own stack stays up; only what this run added to it goes.
    for name in sorted(_alive(home) - kept):
        stop_signal = signal.SIGINT if name == "airflow" else signal.SIGTERM
        stop_process(home, name, stop_signal=stop_signal, timeout_seconds=_STOP_SECONDS)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Stopping takes seconds, and half of it helps nobody: further signals wait until it is over."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        # What was pressed twice has been obeyed.
        while pending := signal.sigpending() & held:
            signal.sigwait(pending)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
