"""The streaming job of a use case as a supervised process: start, stop, look."""

import hashlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import StackBusyError, StackError
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.local.java import java_environment
from fluvial.local.locks import exclusive
from fluvial.local.process import (
    Process,
    is_alive,
    is_running,
    log_path,
    read_log_tail,
    read_process,
    start_process,
    stop_process,
)
from fluvial.local.state_files import write_state
from fluvial.local.streaming_state import StreamingState, read_streaming_state, state_path

START_SECONDS: Final = 180.0
STOP_SECONDS: Final = 60.0
LEASE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.1
_DIGITS: Final = 16


def start_streaming(
    tables: Path, home: Home, command: Sequence[str] | None = None, lease_seconds: float = LEASE_SECONDS
) -> str:
    """Start the job of `tables` (a tables.yaml) and wait until it runs: `started`, `restarted` or `kept`.

    A job that runs is kept, unless tables.yaml, a file of its rules or reference tables, or the broker's address has
    changed since it started. `command` stands
    in for the job itself. Raises StackBusyError if another writer holds the lake for longer than `lease_seconds`.
    """
    with exclusive(_lease_path(home, tables.parent.name), "starting the streaming job", lease_seconds):
        return _start(tables, home, command)


@contextmanager
def sole_driver(use_case: UseCase, home: Home, purpose: str = "the streaming job") -> Iterator[None]:
    """Held by whoever writes the lake, while it does; a second one gets a StackBusyError, however it was started.

    What is held are the places of its tables: a copy of a configuration writes the same ones under another name.
    """
    places = Locations(use_case, home.lake)
    with ExitStack() as held:
        for place in sorted(places.table(table).log for table in use_case.tables):
            name = hashlib.sha256(place.encode()).hexdigest()[:_DIGITS]
            held.enter_context(exclusive(home.run / "leases" / f"{name}.lease", purpose, 0))
        yield


@contextmanager
def sole_writer(use_case: UseCase, home: Home, purpose: str) -> Iterator[None]:
    """Holds the lake of a use case: no streaming job starts meanwhile; raises StackBusyError if one runs."""
    with exclusive(_lease_path(home, use_case.name), purpose, 0):
        if is_streaming(use_case, home):
            raise StackBusyError(
                f"the streaming job of '{use_case.name}' writes the same tables",
                f"stop it with `fluvial down`, do this again, then go on with `fluvial up --use-case {use_case.name}`",
                part=process_name(use_case.name),
            )
        with sole_driver(use_case, home, purpose):
            yield


def _start(tables: Path, home: Home, command: Sequence[str] | None) -> str:
    use_case, fingerprint = tables.parent.name, _fingerprint(tables, home)
    name, remembered = process_name(use_case), home.run / f"{process_name(use_case)}.fingerprint"
    was_alive = is_alive(home, name)
    if was_alive and remembered.exists() and remembered.read_text(encoding="utf-8") == fingerprint:
        _wait_until_running(home, use_case)
        return "kept"
    stop_streaming(use_case, home)
    state_path(home, use_case).unlink(missing_ok=True)
    environment = {"FLUVIAL_ARTIFACTS": str(home.artifacts), **java_environment()}
    start_process(home, name, command or _command(tables, home), environment)
    write_state(remembered, fingerprint)
    _wait_until_running(home, use_case)
    return "restarted" if was_alive else "started"


def stop_streaming(use_case: str, home: Home) -> bool:
    """Let the job finish its micro-batch and end; whether one ran."""
    return stop_process(home, process_name(use_case), stop_signal=signal.SIGTERM, timeout_seconds=STOP_SECONDS)


def is_streaming(use_case: UseCase, home: Home) -> bool:
    """Whether the job's process lives; it may still be starting."""
    return is_alive(home, process_name(use_case.name))


def forget_streaming(use_case: UseCase, home: Home) -> None:
    """Removes what an ended job has left of its state."""
    state_path(home, use_case.name).unlink(missing_ok=True)
    (home.run / f"{process_name(use_case.name)}.fingerprint").unlink(missing_ok=True)


def process_name(use_case: str) -> str:
    """Name of the job's process, pid file, state file and log."""
    return f"streaming-{use_case}"


def _wait_until_running(home: Home, use_case: str) -> None:
    process, deadline = read_process(home, process_name(use_case)), time.monotonic() + START_SECONDS
    while process is not None and time.monotonic() < deadline:
        state = read_streaming_state(use_case, home)
        if state is not None and state.pid == process.pid and state.state == "running":
            return
        if not is_running(process) or (state is not None and state.pid == process.pid and state.state == "failed"):
            raise _failed(home, use_case, process, state)
        time.sleep(_PAUSE_SECONDS)
    raise _error(home, use_case, f"the streaming job of '{use_case}' isn't running after {START_SECONDS:.0f} s")


def _failed(home: Home, use_case: str, process: Process, state: StreamingState | None) -> StackError:
    reason = f": {state.error}" if state and state.pid == process.pid and state.error else ""
    return _error(home, use_case, f"the streaming job of '{use_case}' ended while it started{reason}")


def _error(home: Home, use_case: str, message: str) -> StackError:
    name = process_name(use_case)
    return StackError(
        message,
        "mend the reason and start it again; it goes on where it stopped",
        part=name,
        log_path=log_path(home, name),
        log_tail=read_log_tail(home, name),
    )


def _fingerprint(tables: Path, home: Home) -> str:
    # Own rules and reference tables lie beside it.
    files = [tables, *sorted(path for path in tables.parent.iterdir() if path.suffix in {".py", ".csv"})]
    content = b"\0".join([read_endpoints(home).bootstrap_servers.encode(), *(path.read_bytes() for path in files)])
    return hashlib.sha256(content).hexdigest()


def _lease_path(home: Home, use_case: str) -> Path:
    return home.run / f"{process_name(use_case)}.lease"


def _command(tables: Path, home: Home) -> tuple[str, ...]:
    # The script lies beside the package, as it does in the folder that AWS Glue gets.
    script = Path(str(files("fluvial"))).parent / "streaming_job.py"
    if not script.is_file():
        raise StackError(f"{script} doesn't exist", "install Fluvial from a checkout", part="streaming")
    return (sys.executable, str(script), "--config", str(tables), "--home", str(home.root))
