"""How the pipeline derives the versions of one key: windows over a sorted list of events, after a base version."""

from collections.abc import Sequence
from typing import Any, NamedTuple

Position = Any
"""A sequence: any values that compare."""


class LogRow(NamedTuple):
    """One row of the log."""

    key: int | None
    sequence: Position
    operation: str
    commit_time: int
    a: int | None
    b: int | None
    leaves_out_b: bool
    payload_hash: int
    is_quarantined: bool
    batch: tuple[int, int]


class HistoryRow(NamedTuple):
    """One row of the history."""

    key: int
    sequence: Position
    operation: str
    a: int | None
    b: int | None
    effective_from: int
    effective_to: int | None = None
    end_sequence: Position = None
    uncertain_since: Position = None
    is_b_unresolved: bool = False


class Derivation:
    """The derivation rules, each in a method of its own, so that a planted bug is one changed method."""

    def __init__(self, is_tracked: bool) -> None:
        self.is_tracked = is_tracked

    def derive(
        self, base: HistoryRow | None, bound: Position, floor: int | None, rows: Sequence[LogRow]
    ) -> list[HistoryRow]:
        """Versions from `bound` on, after the base version with its end and its doubt brought up to date."""
        ordered = sorted(rows, key=self.strength, reverse=True)
        ordered.sort(key=lambda row: row.sequence)
        clocks = self.clocks(base, floor, ordered)
        events = [row for index, row in enumerate(ordered) if index == 0 or ordered[index - 1].sequence != row.sequence]
        lives = self.lives(events, 0 if base is None or not self.is_doubtful(base, bound) else 1)
        states = self.states(base, events, lives)
        opens = self.openings(base, events, lives, states)
        versions = [] if base is None else [self.end(base, -1, bound, events, opens, clocks)]
        for index, event in enumerate(events):
            if opens[index]:
                a, b, is_unresolved = states[self.newest(index, events, opens)]
                version = HistoryRow(
                    event.key,
                    event.sequence,
                    event.operation,
                    a,
                    b,
                    clocks[event.sequence],
                    is_b_unresolved=is_unresolved,
                )
                versions.append(self.end(version, index, bound, events, opens, clocks))
        return versions

    def strength(self, row: LogRow) -> tuple[Any, ...]:
        """Of rows at one sequence the strongest counts."""
        is_truncate, is_delete = row.operation == "TRUNCATE", row.operation == "DELETE"
        is_row = row.operation != "SNAPSHOT"
        return (is_row, is_truncate, not row.is_quarantined, is_delete, row.payload_hash, row.operation)

    def clocks(self, base: HistoryRow | None, floor: int | None, rows: Sequence[LogRow]) -> dict[Position, int]:
        """The effective time at each sequence: the running maximum of all commit times."""
        bounds = [value for value in (floor, base and base.effective_from) if value is not None]
        clock = max(bounds, default=0)
        clocks = {}
        for row in rows:
            clock = max(clock, row.commit_time)
            clocks[row.sequence] = clock
        return clocks

    def is_doubtful(self, base: HistoryRow, bound: Position) -> bool:
        """Whether a gap marker lies between the base and the bound, so that nothing may be inherited from it."""
        return base.uncertain_since is not None and base.uncertain_since < bound

    def ends_life(self, row: LogRow) -> bool:
        """Whether nothing is inherited across this row."""
        return row.is_quarantined or self.closes(row)

    def closes(self, row: LogRow) -> bool:
        """Whether a version ends here though none begins."""
        return row.operation in {"DELETE", "TRUNCATE", "SNAPSHOT"} and not row.is_quarantined

    def lives(self, events: Sequence[LogRow], first: int) -> list[int]:
        """The number of each event's life; the base lives in life 0."""
        lives, life = [], first
        for event in events:
            lives.append(life)
            life += self.ends_life(event)
        return lives

    def is_upsert(self, row: LogRow) -> bool:
        """Whether the row states values."""
        return not row.is_quarantined and row.operation not in {"DELETE", "TRUNCATE", "SNAPSHOT"}

    def states(
        self, base: HistoryRow | None, events: Sequence[LogRow], lives: Sequence[int]
    ) -> list[tuple[int | None, int | None, bool]]:
        """Values of a and b after each event, and whether b couldn't be resolved."""
        life, known, value = 0, base is not None and not base.is_b_unresolved, base.b if base is not None else None
        states: list[tuple[int | None, int | None, bool]] = []
        for event, its_life in zip(events, lives, strict=True):
            if its_life != life:
                life, known, value = its_life, False, None
            if self.is_upsert(event):
                if not event.leaves_out_b:
                    value = event.b
                known = known or not event.leaves_out_b
            states.append((event.a, value, not known))
        return states

    def openings(
        self, base: HistoryRow | None, events: Sequence[LogRow], lives: Sequence[int], states: Sequence[Any]
    ) -> list[bool]:
        """Which events open a version."""
        life, before = 0, (base.a, base.b, base.is_b_unresolved) if base is not None else None
        opens = []
        for event, its_life, state in zip(events, lives, states, strict=True):
            if its_life != life:
                life, before = its_life, None
            is_upsert = self.is_upsert(event)
            opens.append(is_upsert and not (before is not None and self.continues(event, before, state)))
            before = state if is_upsert else before
        return opens

    def continues(self, event: LogRow, before: tuple[Any, ...], state: tuple[Any, ...]) -> bool:
        """Whether an upsert belongs to the version before it in the same life."""
        return before[0] == state[0] if self.is_tracked else event.operation == "READ" and before == state

    def newest(self, index: int, events: Sequence[LogRow], opens: Sequence[bool]) -> int:
        """The event whose values the version opened at `index` shows: the last of its run."""
        last = index
        for later in range(index + 1, len(events)):
            if opens[later] or self.ends_life(events[later]):
                break
            last = later
        return last

    def end(
        self,
        version: HistoryRow,
        index: int,
        bound: Position,
        events: Sequence[LogRow],
        opens: Sequence[bool],
        clocks: Any,
    ) -> HistoryRow:
        """The version with its end, and with the first gap marker before that."""
        doubt = version.uncertain_since if index < 0 and self.is_doubtful(version, bound) else None
        for later in range(index + 1, len(events)):
            event = events[later]
            if opens[later] or self.closes(event):
                if event.operation == "SNAPSHOT":
                    doubt = self.infer(version, doubt, event)
                return version._replace(
                    effective_to=clocks[event.sequence], end_sequence=event.sequence, uncertain_since=doubt
                )
            if event.is_quarantined and doubt is None:
                doubt = event.sequence
        return version._replace(effective_to=None, end_sequence=None, uncertain_since=doubt)

    def infer(self, version: HistoryRow, doubt: Position, boundary: LogRow) -> Position:
        """From where on a row that a complete snapshot doesn't show may have been gone."""
        since = max(version.sequence, self.reach(boundary.sequence))
        return since if doubt is None else min(doubt, since)

    def reach(self, sequence: Position) -> Position:
        """From where on an event at `sequence` may change versions: a row of a snapshot from its epoch's start."""
        epoch, is_streamed, _ = sequence
        return sequence if is_streamed else (epoch, False, 0)
