"""What each event of one key became, told from the log, the history and the quarantine: no value is derived again."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from fluvial import columns as c
from fluvial.config.model import Table

Row = Mapping[str, Any]
"""A row of the lake by column name."""

_CLOSERS = frozenset({c.DELETE, *c.KEYLESS})


class Fate(StrEnum):
    """What became of an event."""

    OPENED = "opened"
    CONTINUED = "continued"
    ABSORBED = "absorbed"
    CLOSED = "closed"
    INFERRED_DELETE = "inferred_delete"
    REDUNDANT = "redundant"
    QUARANTINED = "quarantined"
    REPAIRED = "repaired"
    LOST_TIE = "lost_tie"
    UNSETTLED = "unsettled"


@dataclass(frozen=True)
class Version:
    """One version of the row; `number` counts from 1, `changed` maps a column to (before, now)."""

    number: int
    row: Row
    changed: Mapping[str, tuple[Any, Any]]

    @property
    def sequence(self) -> str:
        """Of the event that opened it."""
        return str(self.row[c.SEQUENCE])

    def covers(self, sequence: str) -> bool:
        """Whether it was open just after it began and still is at `sequence`."""
        end = self.row[c.END_SEQUENCE]
        return self.sequence < sequence and (end is None or end > sequence)


@dataclass(frozen=True)
class Told:
    """One event: its log row, its fate, the version that fate speaks of, and its violations if it was quarantined."""

    row: Row
    fate: Fate
    version: Version | None
    violations: Sequence[Row]


def tell_versions(history: Sequence[Row], table: Table) -> tuple[Version, ...]:
    """The versions in order of sequence, each with what it changed."""
    told: list[Version] = []
    names = table.lake.value_columns
    for number, row in enumerate(sorted(history, key=lambda version: version[c.SEQUENCE]), start=1):
        before = told[-1].row if told else {}
        changed = {name: (before.get(name), row.get(name)) for name in names if before.get(name) != row.get(name)}
        told.append(Version(number, row, changed))
    return tuple(told)


def tell_events(
    log: Sequence[Row], versions: Sequence[Version], quarantine: Sequence[Row], table: Table
) -> tuple[Told, ...]:
    """Every event in order of sequence; of several at one sequence the one that counts comes first."""
    ends = {version.row[c.END_SEQUENCE] for version in versions}
    by_sequence = groupby(sorted(log, key=lambda row: str(row[c.SEQUENCE])), key=lambda row: row[c.SEQUENCE])
    violations = {_position(row): row[c.VIOLATIONS] or () for row in quarantine}
    return tuple(
        Told(row, fate, version, violations.get(_position(row), ()) if row[c.IS_QUARANTINED] else ())
        for _, tied in by_sequence
        for row, fate, version in _fates(_concerned(list(tied), ends), versions, table)
    )


def _concerned(tied: list[Row], ends: Collection[Any]) -> list[Row]:
    """Without a snapshot's boundary, unless it is all there is and closed a version."""
    rows = [row for row in tied if row[c.OPERATION] != c.SNAPSHOT]
    return rows or [row for row in tied[:1] if row[c.SEQUENCE] in ends]


def _position(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in c.PLACE)


def _fates(tied: list[Row], versions: Sequence[Version], table: Table) -> Iterator[tuple[Row, Fate, Version | None]]:
    if not tied:
        return
    winner, *losers = _ranked(tied)
    fate, version = _fate(winner, versions, table)
    yield winner, fate, version
    for row in losers:
        is_repaired = row[c.IS_QUARANTINED] and row[c.PAYLOAD_HASH] == winner[c.PAYLOAD_HASH]
        yield row, Fate.REPAIRED if is_repaired else Fate.LOST_TIE, None


def _ranked(tied: list[Row]) -> list[Row]:
    """A valid event before a gap marker, a delete before the others, then the higher payload hash."""
    by_operation = sorted(tied, key=lambda row: str(row[c.OPERATION]), reverse=True)
    by_hash = sorted(by_operation, key=lambda row: row[c.PAYLOAD_HASH] or 0, reverse=True)
    return sorted(by_hash, key=lambda row: (bool(row[c.IS_QUARANTINED]), row[c.OPERATION] not in _CLOSERS))


def _fate(row: Row, versions: Sequence[Version], table: Table) -> tuple[Fate, Version | None]:
    sequence = row[c.SEQUENCE]
    covering = next((version for version in reversed(versions) if version.covers(sequence)), None)
    if row[c.IS_QUARANTINED]:
        return Fate.QUARANTINED, covering
    if row[c.OPERATION] in _CLOSERS:
        closed = next((version for version in versions if version.row[c.END_SEQUENCE] == sequence), None)
        if closed is not None and row[c.OPERATION] == c.SNAPSHOT:
            return Fate.INFERRED_DELETE, closed
        return _closing(closed, covering)
    opened = next((version for version in versions if version.sequence == sequence), None)
    if opened is not None:
        return Fate.OPENED, opened
    if covering is not None and table.track_columns:
        return Fate.CONTINUED, covering
    if covering is not None and row[c.OPERATION] == c.READ:
        return Fate.ABSORBED, covering
    return Fate.UNSETTLED, None


def _closing(closed: Version | None, covering: Version | None) -> tuple[Fate, Version | None]:
    if closed is not None:
        return Fate.CLOSED, closed
    return (Fate.UNSETTLED, None) if covering is not None else (Fate.REDUNDANT, None)
