"""What runs in a home, what fell over, and what it says of itself."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import psutil

from fluvial.io.parked import ParkedNotice
from fluvial.local.airflow import airflow_status
from fluvial.local.connect import CONNECT
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.kafka import KAFKA
from fluvial.local.part import NotReadyError, Part
from fluvial.local.postgres import POSTGRES
from fluvial.local.process import Process, is_running, log_path, process_names, read_process
from fluvial.local.streaming_state import describe_batches, read_parked_notices, read_streaming_state

PARTS: Final[tuple[Part, ...]] = (POSTGRES, KAFKA, CONNECT)
STREAMING_PREFIX: Final = "streaming-"


class PartState(StrEnum):
    """How a part stands."""

    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    CRASHED = "crashed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PartStatus:
    """One part; `memory_mb` counts its child processes too, `detail` is what it answered."""

    name: str
    state: PartState
    detail: str = ""
    port: int | None = None
    pid: int | None = None
    memory_mb: int | None = None
    log: str = ""
    parked: tuple[ParkedNotice, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self.state is PartState.RUNNING


def status(home: Home) -> tuple[PartStatus, ...]:
    """The stack's three parts, then whatever else has a pid file (streaming jobs, Airflow), by name."""
    names = {part.name for part in PARTS}
    others = [name for name in process_names(home) if name not in names]
    probes = [(part.name, _probe_part(home, part)) for part in PARTS]
    probes += [(name, _probe(home, name)) for name in others]
    with ThreadPoolExecutor(len(probes)) as pool:
        return tuple(pool.map(lambda probe: _with_parked(home, _observe(home, *probe)), probes))


def remembered_endpoints(home: Home) -> Endpoints | None:
    """The endpoints of the last start, None before the first."""
    return read_endpoints(home) if (home.run / "endpoints.json").exists() else None


def _with_parked(home: Home, part: PartStatus) -> PartStatus:
    """A running job whose tables don't all run isn't well."""
    if not part.name.startswith(STREAMING_PREFIX):
        return part
    parked = read_parked_notices(part.name.removeprefix(STREAMING_PREFIX), home)
    state = PartState.UNHEALTHY if parked and part.is_up else part.state
    return replace(part, parked=parked, state=state, detail="; ".join([part.detail, *map(str, parked)]))


def _observe(home: Home, name: str, probe: Callable[[], str]) -> PartStatus:
    process = read_process(home, name)
    if process is None:
        return PartStatus(name, PartState.STOPPED)
    found = _Found(name, _port(home, name), str(log_path(home, name)))
    if not is_running(process):
        said = _last_words(home, name) or f"process {process.pid} is gone"
        return found.say(PartState.CRASHED, f"{said}; `fluvial up` mends it")
    try:
        return found.say(PartState.RUNNING, probe(), process)
    except NotReadyError as error:
        return found.say(PartState.UNHEALTHY, str(error), process)


@dataclass(frozen=True)
class _Found:
    name: str
    port: int | None
    log: str

    def say(self, state: PartState, detail: str, process: Process | None = None) -> PartStatus:
        pid = process.pid if process else None
        return PartStatus(self.name, state, detail, self.port, pid, _memory_mb(pid), self.log)


def _probe_part(home: Home, part: Part) -> Callable[[], str]:
    endpoints = remembered_endpoints(home)
    return lambda: part.check(endpoints) if endpoints else ""


def _probe(home: Home, name: str) -> Callable[[], str]:
    if name == "airflow":
        return lambda: _probe_airflow(home)
    if name.startswith(STREAMING_PREFIX):
        return lambda: _probe_streaming(home, name.removeprefix(STREAMING_PREFIX))
    return lambda: ""


def _probe_airflow(home: Home) -> str:
    found = airflow_status(home)
    if not found.is_healthy:
        raise NotReadyError(f"not healthy yet, {found.url}")
    return found.url


def _probe_streaming(home: Home, use_case: str) -> str:
    state = read_streaming_state(use_case, home)
    if state is None or state.state != "running":
        raise NotReadyError(state.error or state.state if state else "starting")
    return describe_batches(state.lanes, state.batch_id)


def _last_words(home: Home, name: str) -> str:
    """The error that a streaming job reported before it ended."""
    if not name.startswith(STREAMING_PREFIX):
        return ""
    state = read_streaming_state(name.removeprefix(STREAMING_PREFIX), home)
    return state.error.splitlines()[0] if state and state.error else ""


def _port(home: Home, name: str) -> int | None:
    endpoints = remembered_endpoints(home)
    if endpoints is None:
        return None
    ports: Mapping[str, int] = {
        "postgres": endpoints.postgres_port,
        "kafka": endpoints.kafka_port,
        "connect": endpoints.connect_port,
    }
    return ports.get(name)


def _memory_mb(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        return sum(_resident_bytes(each) for each in (process, *process.children(recursive=True))) >> 20
    except psutil.Error:
        return None


def _resident_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
        return int(memory.rss - getattr(memory, "shared", 0))
    except psutil.Error:
        return 0
