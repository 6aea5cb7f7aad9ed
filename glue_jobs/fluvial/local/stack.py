"""The stack of one home: PostgreSQL, Kafka and Kafka Connect, started, mended and stopped."""

import secrets
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

from fluvial.errors import StackError
from fluvial.local.artifacts import ROOM_TO_RUN, check_room, ensure_artifacts
from fluvial.local.connect import CONNECT
from fluvial.local.endpoints import Endpoints, write_endpoints
from fluvial.local.home import Home
from fluvial.local.java import find_java
from fluvial.local.lock import stack_groups
from fluvial.local.locks import exclusive
from fluvial.local.part import Part, start_part, stop_part
from fluvial.local.ports import choose_port, is_free
from fluvial.local.process import is_alive, process_names, stop_process
from fluvial.local.progress import Progress, no_progress
from fluvial.local.state_files import write_state
from fluvial.local.status import PARTS, PartStatus, remembered_endpoints, status

__all__ = ["PartStatus", "down", "status", "up"]

LOCK_WAIT_SECONDS: Final = 30.0
STOP_SECONDS: Final = 60.0

# SIGTERM would leave Airflow's own children behind.
STOP_SIGNALS: Final[Mapping[str, signal.Signals]] = {"airflow": signal.SIGINT}
STOP_ORDER: Final = (("connect",), ("kafka", "postgres"))
UNSAFE_CHARACTERS: Final = ',:"\n'
"""Kafka's log.dirs and plugin.path are comma-separated, Java's class path by colons."""


def up(home: Home, progress: Progress = no_progress) -> Endpoints:
    """Start what doesn't run, mend what fell over; returns where everything answers, once it does."""
    _refuse_unsafe(home)
    with exclusive(home.run / "stack.lock", "fluvial up", LOCK_WAIT_SECONDS, lambda: progress("waiting", 0, 1)):
        ensure_artifacts(home, stack_groups(), progress)
        try:
            return _mend(home, progress)
        except StackError as error:
            if not _lost_its_port(home, error.part):
                raise
            return _mend(home, progress)


def down(home: Home, progress: Progress = no_progress) -> tuple[str, ...]:
    """Stop everything in the home, readers before what they read from; the names of what ran."""
    with exclusive(home.run / "stack.lock", "fluvial down", LOCK_WAIT_SECONDS, lambda: progress("waiting", 0, 1)):
        names = {part.name for part in PARTS}
        others = tuple(name for name in process_names(home) if name not in names)
        stopped: list[str] = []
        for done, group in enumerate((others, *STOP_ORDER)):
            progress("stopping", done, len(STOP_ORDER) + 1)
            stopped += _stop_together(home, group)
        progress("stopping", len(STOP_ORDER) + 1, len(STOP_ORDER) + 1)
        return tuple(stopped)


def _mend(home: Home, progress: Progress) -> Endpoints:
    remembered = remembered_endpoints(home)
    serving = {part.name for part in status(home) if part.is_up}
    missing = [part for part in PARTS if part.name not in serving]
    if remembered is not None and not missing:
        return remembered
    check_room(home.root, ROOM_TO_RUN)
    find_java()  # before anything is started
    endpoints = _choose_endpoints(home, remembered)
    if remembered is not None and endpoints.kafka_port != remembered.kafka_port and "connect" in serving:
        missing.append(CONNECT)
        stop_process(home, CONNECT.name, timeout_seconds=1.0)  # its broker is gone, it can only be cut off
    write_endpoints(home, endpoints)
    _start_together(home, endpoints, missing, progress)
    return endpoints


def _start_together(home: Home, endpoints: Endpoints, parts: Sequence[Part], progress: Progress) -> None:
    """Start parts at the same time: Connect waits for its broker by itself. The first failure ends the waiting."""
    progress("starting " + ", ".join(part.name for part in parts), 0, len(parts))
    failed = threading.Event()
    with ThreadPoolExecutor(len(parts)) as pool:
        starts = [pool.submit(start_part, home, endpoints, part, failed) for part in parts]
        try:
            for done, start in enumerate(as_completed(starts), start=1):
                start.result()
                progress("starting " + ", ".join(part.name for part in parts), done, len(parts))
        except BaseException:
            failed.set()
            raise


def _stop_together(home: Home, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    with ThreadPoolExecutor(len(names)) as pool:
        was_running = list(pool.map(lambda name: _stop(home, name), names))
    return [name for name, ran in zip(names, was_running, strict=True) if ran]


def _stop(home: Home, name: str) -> bool:
    part = next((part for part in PARTS if part.name == name), None)
    if part is not None:
        return stop_part(home, part)
    stop_signal = STOP_SIGNALS.get(name, signal.SIGTERM)
    return stop_process(home, name, stop_signal=stop_signal, timeout_seconds=STOP_SECONDS)


def _choose_endpoints(home: Home, remembered: Endpoints | None) -> Endpoints:
    """Ports of running parts stay; the others' are free at this moment."""
    ports: dict[str, int] = {}
    for part, name in (("postgres", "postgres"), ("kafka", "kafka"), ("kafka", "controller"), ("connect", "connect")):
        before = int(getattr(remembered, f"{name}_port")) if remembered else None
        ports[f"{name}_port"] = before if before and is_alive(home, part) else choose_port(name, before)
    return Endpoints(**ports, postgres_password=_password(home))


def _password(home: Home) -> str:
    """Drawn once for a data directory and kept beside it."""
    path = home.data / "postgres.password"
    if not path.exists():
        write_state(path, secrets.token_urlsafe(24) + "\n")
    return path.read_text(encoding="utf-8").strip()


def _lost_its_port(home: Home, part: str) -> bool:
    """Whether somebody else took a port between our look and the part's start."""
    endpoints = remembered_endpoints(home)
    if endpoints is None or not part or is_alive(home, part):
        return False
    ports = {
        "postgres": (endpoints.postgres_port,),
        "kafka": (endpoints.kafka_port, endpoints.controller_port),
        "connect": (endpoints.connect_port,),
    }
    return not all(is_free(port) for port in ports.get(part, ()))


def _refuse_unsafe(home: Home) -> None:
    for path in (home.root, home.artifacts):
        if any(character in UNSAFE_CHARACTERS for character in str(path)):
            raise StackError(
                f"{path} holds a comma, a colon, a quotation mark or a line break, which Kafka can't have in a path",
                "set FLUVIAL_HOME (or FLUVIAL_ARTIFACTS) to another directory",
            )
