"""Commits of a Delta table as its own log tells them: which are Fluvial's, and what the others did."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_OURS: Final = "fluvial."
_SETTLED: Final = "fluvial.settledLogVersion"
_REBUILT: Final = "fluvial.rebuiltFromLogVersion"
APPENDED: Final = "fluvial.appended"
COLUMNS_ADDED: Final = "fluvial.columnsAdded"
_BATCH: Final = "fluvial.batch"
_TAKING_AWAY: Final = frozenset({"DROP COLUMNS", "RENAME COLUMN", "REPLACE COLUMNS"})
_BY_TIME: Final = -1


@dataclass(frozen=True)
class Settled:
    """Which log a history was settled from, and up to which of its versions; or derived from as a whole."""

    log_id: str
    version: int
    is_rebuilt: bool = False

    @property
    def note(self) -> str:
        """What the commit says: `<key>=<log table id>@<log version>`."""
        return f"{_REBUILT if self.is_rebuilt else _SETTLED}={self.log_id}@{self.version}"


@dataclass(frozen=True)
class Commit:
    """One version of a Delta table.

    `note` is Delta's userMetadata; `restored` the version that a RESTORE went back to (-1: to a time); `columns` are
    types by lower-case name where the commit sets the table's schema; `rows` and `bytes` those of the added files.
    """

    version: int
    operation: str
    note: str
    by: str
    at: datetime | None
    changes_data: bool
    restored: int | None = None
    columns: Mapping[str, Any] | None = None
    rows: int = 0
    bytes: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether Fluvial made it."""
        return self.note.startswith(_OURS)

    @property
    def settled(self) -> Settled | None:
        """What a settling commit of a history folded in."""
        key, _, place = self.note.partition("=")
        log_id, at, version = place.rpartition("@")
        if key not in {_SETTLED, _REBUILT} or not at or not version.isdecimal():
            return None
        return Settled(log_id, int(version), key == _REBUILT)

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        when = f" at {self.at:%Y-%m-%d %H:%M:%S} UTC" if self.at else ""
        return f"version {self.version} is a {self.operation or 'change'}{who}{when}"


ReadCommit = Callable[[int], Commit | None]
"""The commit of a version; None where its file is cleaned up."""


def batch_note(query_id: str, batch_id: int) -> str:
    """What a commit says that brings rows of a micro-batch."""
    return f"{_BATCH}={query_id}@{batch_id}"


def parse_commit(version: int, text: str) -> Commit:
    """A commit file: one JSON action a line; a text in it may hold what Unicode calls the end of one."""
    actions = [json.loads(line) for line in text.split("\n") if line.strip()]
    info: Mapping[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    added, removed = _changed(actions, "add"), _changed(actions, "remove")
    return Commit(
        version,
        str(info.get("operation") or ""),
        str(info.get("userMetadata") or ""),
        str(info.get("userName") or info.get("engineInfo") or ""),
        _moment(info.get("timestamp")),
        bool(added or removed),
        _restored(info),
        _columns(actions),
        sum(_rows(file) for file in added),
        sum(int(file.get("size") or 0) for file in added),
    )


def read_commit_file(location: str, version: int) -> Commit | None:
    """A commit of a table on this machine."""
    path = Path(location) / "_delta_log" / f"{version:020}.json"
    return parse_commit(version, path.read_text(encoding="utf-8")) if path.is_file() else None


@dataclass(frozen=True)
class Walk:
    """The commits whose work a table still shows, newest first: what a RESTORE undid is left out.

    `end` is the version below the oldest of them: the known one, unless a commit is cleaned up.
    """

    commits: tuple[Commit, ...]
    end: int

    @property
    def settled(self) -> Settled | None:
        """What the newest settling commit among them says."""
        return next((commit.settled for commit in self.commits if commit.settled), None)


def walk_back(read: ReadCommit, newest: int, known: int = -1) -> Walk:
    """From the newest commit back to the known one; below it, or where none is known, to a settling commit.

    Nothing older than a rebuilding commit is in the table any more.
    """
    version, found = newest, list[Commit]()
    while version not in {known, -1} and (commit := read(version)) is not None:
        found.append(commit)
        version = _before(commit)
        if (settled := commit.settled) and (settled.is_rebuilt or not commit.version > known >= 0):
            break
    return Walk(tuple(found), version)


def _before(commit: Commit) -> int:
    """Of which version the commit made another one."""
    restored = commit.restored
    return restored if restored is not None and 0 <= restored < commit.version else commit.version - 1


def is_foreign(commit: Commit, wanted: Sequence[str]) -> bool:
    """Whether somebody else changed data, or took one of the `wanted` columns away.

    A RESTORE to a version is no harm by itself: what counts is the version that it went back to.
    """
    if commit.is_ours or (commit.restored is not None and commit.restored != _BY_TIME):
        return False
    lost = commit.columns is not None and not {name.lower() for name in wanted} <= set(commit.columns)
    return commit.changes_data or (commit.operation in _TAKING_AWAY and lost)


def schema_columns(schema_json: str) -> dict[str, Any]:
    """Types by lower-case name, as a Delta schema writes them."""
    return {field["name"].lower(): field["type"] for field in json.loads(schema_json)["fields"]}


def undone(read: ReadCommit, restore: Commit) -> list[Commit]:
    """The commits whose work a RESTORE took back, newest first, as far as they aren't cleaned up."""
    versions = range(restore.version - 1, _before(restore), -1)
    return [commit for commit in map(read, versions) if commit is not None]


def _changed(actions: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Files that an action of that kind names, unless they only lie differently now, as after OPTIMIZE."""
    files: Sequence[Mapping[str, Any]] = [action[kind] for action in actions if kind in action]
    return [file for file in files if file.get("dataChange", True)]


def _moment(millis: object) -> datetime | None:
    return datetime.fromtimestamp(millis / 1000, UTC) if isinstance(millis, int | float) else None


def _restored(info: Mapping[str, Any]) -> int | None:
    if info.get("operation") != "RESTORE":
        return None
    version = str((info.get("operationParameters") or {}).get("version"))
    return int(version) if version.isdecimal() else _BY_TIME


def _columns(actions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    return next(
        (schema_columns(action["metaData"]["schemaString"]) for action in actions if "metaData" in action), None
    )


def _rows(file: Mapping[str, Any]) -> int:
    stats = json.loads(file.get("stats") or "{}")
    return int(stats.get("numRecords") or 0)
