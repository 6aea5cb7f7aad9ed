"""What a streaming job says of itself, in a file that others read: each lane, and all of them together."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from fluvial.config.lanes import lanes_of
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.parked import ParkedNotice
from fluvial.io.parking import read_parked_tables
from fluvial.local.home import Home
from fluvial.local.state_files import write_state

_WORST_FIRST: Final = ("failed", "starting", "stopping", "running", "stopped")


@dataclass(frozen=True)
class LaneState:
    """One lane in the job's words."""

    state: str
    batch_id: int | None = None
    error: str = ""


@dataclass(frozen=True)
class StreamingState:
    """The whole job: as well as its least well lane, whose error it shows; `batch_id` is that of its first lane."""

    pid: int
    state: str
    batch_id: int | None
    updated_at: datetime | None
    error: str
    lanes: Mapping[str, LaneState]
    parked_folder: str = ""


@dataclass
class StateReporter:
    """Writes the job's state file; called by its lanes, each in a thread of its own."""

    home: Home
    use_case: UseCase
    _lanes: dict[str, LaneState] = field(init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        self._lanes = {lane.name: LaneState("starting") for lane in lanes_of(self.use_case)}
        self._write()

    def __call__(self, lane: str, state: str, batch_id: int | None, error: str) -> None:
        """Replaces the state file in one step; a lane that says no batch keeps the last one it said."""
        with self._lock:
            known = self._lanes[lane].batch_id
            self._lanes[lane] = LaneState(state, known if batch_id is None else batch_id, error)
            self._write()

    def _write(self) -> None:
        worst = min(self._lanes.values(), key=lambda lane: _WORST_FIRST.index(lane.state))
        first = next(iter(self._lanes.values()))
        words = {"pid": os.getpid(), "state": worst.state, "batch_id": first.batch_id, "error": worst.error}
        lanes = {name: asdict(lane) for name, lane in self._lanes.items()}
        words |= {"parked_folder": Locations(self.use_case, self.home.lake).parked}
        text = json.dumps(words | {"updated_at": datetime.now(UTC).isoformat(), "lanes": lanes})
        write_state(state_path(self.home, self.use_case.name), text)


def read_streaming_state(use_case: str, home: Home) -> StreamingState | None:
    """The job's own words; None before its first."""
    try:
        found = json.loads(state_path(home, use_case).read_text(encoding="utf-8"))
        return StreamingState(
            int(found["pid"]),
            str(found["state"]),
            found.get("batch_id"),
            _moment(found.get("updated_at")),
            str(found.get("error") or ""),
            {name: LaneState(**lane) for name, lane in found.get("lanes", {}).items()},
            str(found.get("parked_folder") or ""),
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def state_path(home: Home, use_case: str) -> Path:
    """Where the job of a use case says how it is."""
    return home.run / f"streaming-{use_case}.json"


def read_parked_notices(use_case: str, home: Home) -> tuple[ParkedNotice, ...]:
    """The parked tables of a job that was started in this home."""
    state = read_streaming_state(use_case, home)
    found = read_parked_tables(state.parked_folder) if state and state.parked_folder else ()
    return tuple(parked.notice for parked in found)


def describe_batches(lanes: Mapping[str, LaneState], batch_id: int | None) -> str:
    """How far each lane is."""
    if len(lanes) < 2:  # noqa: PLR2004
        return _batch(batch_id)
    return ", ".join(f"{name}: {_batch(lane.batch_id)}" for name, lane in lanes.items())


def _batch(number: int | None) -> str:
    return f"batch {number}" if number is not None else "waiting for events"


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
