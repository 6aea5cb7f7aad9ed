"""Detached processes with a pid file and a log each: the stack's parts, the streaming job, Airflow.

A pid file says which process it meant by its create time as well, so a number that the system has given to somebody
else is never taken for ours.
"""

import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from fluvial.errors import StackError
from fluvial.local.home import Home
from fluvial.local.state_files import accessing, write_state

CLOCK_STEP_SECONDS: Final = 3.0
"""The system derives create times from its clock; a small correction of that clock moves them."""

LOG_LIMIT_BYTES: Final = 16 * 1024 * 1024
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Process:
    """What a pid file says; `created` is seconds since 1970 as the system reports it."""

    name: str
    pid: int
    created: float
    command: tuple[str, ...] = ()


def start_process(home: Home, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> Process:
    """Start a detached process, its output appended to `logs/<name>.log`; one that runs already is left as it is.

    `env` is added to this process's own environment.
    """
    running = read_process(home, name)
    if running is not None:
        if is_running(running):
            return running
        _end_group(running)
    with accessing(home.root):
        pid = _spawn(_open_log(home, name), command, {**os.environ, **(env or {})})
    process = Process(name, pid, _create_time(pid), tuple(command))
    write_state(_pid_path(home, name), json.dumps(asdict(process)) + "\n")
    return process


def stop_process(
    home: Home, name: str, *, stop_signal: signal.Signals = signal.SIGTERM, timeout_seconds: float = 30.0
) -> bool:
    """Ask a process to end, wait, then kill what is left of its group; false when there was none."""
    process = read_process(home, name)
    if process is None:
        return False
    was_running = is_running(process)
    if was_running:
        with suppress(ProcessLookupError):
            os.kill(process.pid, stop_signal)
        _wait_until_gone(process, timeout_seconds)
    _end_group(process)
    _pid_path(home, name).unlink(missing_ok=True)
    return was_running


def is_alive(home: Home, name: str) -> bool:
    """Whether the named process runs (it may still be starting)."""
    process = read_process(home, name)
    return process is not None and is_running(process)


def is_running(process: Process) -> bool:
    """Whether exactly this process runs; a zombie doesn't, and neither does another process with its number."""
    _reap(process.pid)
    try:
        found = psutil.Process(process.pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(found.create_time() - process.created) < CLOCK_STEP_SECONDS)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def read_process(home: Home, name: str) -> Process | None:
    """What the pid file says, whether or not the process still runs; an unreadable file counts as none."""
    try:
        found = json.loads(_pid_path(home, name).read_text(encoding="utf-8"))
        return Process(name, int(found["pid"]), float(found["created"]), tuple(found.get("command", ())))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def process_names(home: Home) -> tuple[str, ...]:
    """Every name that has a pid file, sorted."""
    return tuple(sorted(path.stem for path in home.run.glob("*.pid")))


def log_path(home: Home, name: str) -> Path:
    """Where a process's output goes."""
    return home.logs / f"{name}.log"


def read_log_tail(home: Home, name: str, lines: int = 20) -> str:
    """The last lines of a log, "" where there is none."""
    try:
        with log_path(home, name).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 400 * lines))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _pid_path(home: Home, name: str) -> Path:
    return home.run / f"{name}.pid"


def _open_log(home: Home, name: str) -> Path:
    path = log_path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    path.touch()
    return path


def _spawn(log: Path, command: Sequence[str], env: Mapping[str, str]) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # posix_spawn, not subprocess: its own session and default signals (a shell's background job ignores SIGINT, and
    # what is ignored would stay ignored in the child), safe beside threads, nothing left for this process to close.
    try:
        return os.posix_spawnp(
            command[0],
            list(command),
            env,
            file_actions=actions,
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
            setsigmask=[],
        )
    except (FileNotFoundError, PermissionError) as error:
        message = f"{command[0]} can't be started: {error.strerror}"
        raise StackError(message, "check that the file exists and may be executed", part=log.stem) from error


def _create_time(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:  # ended and reaped already
        return time.time()


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _wait_until_gone(process: Process, timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _end_group(process: Process) -> None:
    """Kill a process and what it left behind; the system keeps a number reserved as long as its group has members."""
    if psutil.pid_exists(process.pid) and not is_running(process) and not _is_zombie(process.pid):
        return  # somebody else's by now, and with it the group of that number
    if process.pid in (0, 1, os.getpid(), os.getpgrp()):
        return
    # macOS answers EPERM for a group of zombies only
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
        _wait_until_gone(process, 5.0)


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
