"""Planted bugs of the derivation of versions and of settling."""

from collections.abc import Sequence
from typing import Any

from tests.simulation.derive import HistoryRow, LogRow, Position
from tests.simulation.model import Pipeline
from tests.simulation.source import Change


class PlaceholderIsNull(Pipeline):
    """Reads an unchanged TOAST column as NULL."""

    def leaves_out_b(self, change: Change) -> bool:
        return False


class InheritsAcrossDelete(Pipeline):
    """Fills an unchanged column from before a delete."""

    def ends_life(self, row: LogRow) -> bool:
        return super().ends_life(row) and row.operation != "DELETE"


class InheritsAcrossTruncate(Pipeline):
    """Fills an unchanged column from before a truncate."""

    def ends_life(self, row: LogRow) -> bool:
        return super().ends_life(row) and row.operation != "TRUNCATE"


class InheritsAcrossGapMarker(Pipeline):
    """Fills an unchanged column from before a quarantined event."""

    def ends_life(self, row: LogRow) -> bool:
        return self.closes(row)


class DoubtForgotten(Pipeline):
    """Inherits from a base that a gap marker follows."""

    def is_doubtful(self, base: HistoryRow, bound: Position) -> bool:
        return False


class FirstArrivalWins(Pipeline):
    """Of two payloads at one position the first to arrive counts."""

    def strength(self, row: LogRow) -> tuple[Any, ...]:
        return (row.operation == "TRUNCATE", not row.is_quarantined, row.operation == "DELETE", -self.log.index(row))


class DeleteLosesTie(Pipeline):
    """Of a delete and another event at one position the higher hash counts."""

    def strength(self, row: LogRow) -> tuple[Any, ...]:
        return (row.operation == "TRUNCATE", not row.is_quarantined, row.payload_hash, row.operation)


class ClockRunsBackwards(Pipeline):
    """Takes each commit time as it is, so that intervals may end before they begin."""

    def clocks(self, base: HistoryRow | None, floor: int | None, rows: Sequence[LogRow]) -> dict[Position, int]:
        return {row.sequence: row.commit_time for row in rows}


class FloorForgotten(Pipeline):
    """Ignores commit times before the bound, but for the base's."""

    def floor(self, rows: Sequence[LogRow], bound: Position, earliest: int) -> int | None:
        return None


class FloorWithoutTruncates(Pipeline):
    """Ignores the commit times of earlier truncates."""

    def floor(self, rows: Sequence[LogRow], bound: Position, earliest: int) -> int | None:
        return super().floor([row for row in rows if row.key is not None], bound, earliest)


class BoundIsMaximum(Pipeline):
    """Derives a key again from the newest of its new events on."""

    def bounds(self, pinned: Sequence[LogRow]) -> dict[int, Position]:
        newest: dict[int, Position] = {}
        for row in pinned:
            if row.key is not None:
                newest[row.key] = max(newest.get(row.key, row.sequence), row.sequence)
        return super().bounds([row for row in pinned if row.key is None]) | newest


class OneBoundForAllKeys(Pipeline):
    """Derives every key again from the lowest new sequence of any of them, though the floor is for their own."""

    def bounds(self, pinned: Sequence[LogRow]) -> dict[int, Position]:
        bounds = super().bounds(pinned)
        return dict.fromkeys(bounds, min(bounds.values(), default=None))


class TruncateTouchesOpenKeysAlone(Pipeline):
    """Leaves closed versions alone when a truncate comes late."""

    def reaches(self, key: int, bound: Position, keyless: Sequence[LogRow]) -> bool:
        return any(row.end_sequence is None for row in self.history[key].values())


class SnapshotSparesNobody(Pipeline):
    """Closes also the keys that the complete snapshot shows."""

    def strength(self, row: LogRow) -> tuple[Any, ...]:
        return (row.operation == "SNAPSHOT", *super().strength(row))


class SnapshotClosesOpenKeysAlone(Pipeline):
    """Forgets a snapshot's boundary once it is settled, so that events from before it, come late, stay open."""

    def relevant(self, rows: Sequence[LogRow], bound: Position) -> list[LogRow]:
        new = self.log[self.settled :]
        return [row for row in super().relevant(rows, bound) if row.operation != "SNAPSHOT" or row in new]


class InferredDeleteIsFinal(Pipeline):
    """Takes an inferred delete for a known one: a row of that snapshot that comes late doesn't take its mark away."""

    def reach(self, sequence: Position) -> Position:
        return sequence


class InferredDeleteIsCertain(Pipeline):
    """Leaves no mark on a version that a snapshot closed."""

    def infer(self, version: HistoryRow, doubt: Position, boundary: LogRow) -> Position:
        return doubt


class DerivesFromNewRowsAlone(Pipeline):
    """Forgets the log rows that were settled before."""

    def relevant(self, rows: Sequence[LogRow], bound: Position) -> list[LogRow]:
        return [row for row in self.log[self.settled :] if row in rows and row.sequence >= bound]


class TrackedRunKeepsOldestValues(Pipeline):
    """Shows the untracked values that a run began with."""

    def newest(self, index: int, events: Sequence[LogRow], opens: Sequence[bool]) -> int:
        return index


class TrackedRunStartsAtOldFloor(Pipeline):
    """Goes back to a run's start, but with the floor of the bound it came from."""

    def base(self, key: int, bound: Position) -> HistoryRow | None:
        base, rows = super().base(key, bound), self.rows_of[key]
        if base is None or not self.is_tracked:
            return base
        times = [row.commit_time for row in rows if base.sequence < row.sequence < bound]
        return base._replace(effective_from=max(base.effective_from, *times)) if times else base


class TrackedRunIsNotReopened(Pipeline):
    """Splits a tracked run without going back to its start, and so inherits its newest values."""

    def changes(self, key: int, bound: Position, earliest: int) -> tuple[list[HistoryRow], list[HistoryRow]]:
        rows = self.rows_of[key] + self.rows_of[None]
        base, floor = self.base(key, bound), self.floor(rows, bound, earliest)
        return self.difference(key, bound, base, self.derive(base, bound, floor, self.relevant(rows, bound)))


class EverySnapshotRowOpens(Pipeline):
    """Opens a version for a snapshot row that changes nothing."""

    def continues(self, event: LogRow, before: tuple[Any, ...], state: tuple[Any, ...]) -> bool:
        return self.is_tracked and super().continues(event, before, state)


class EqualUpdatesJoin(Pipeline):
    """Joins every upsert to an equal version before it."""

    def continues(self, event: LogRow, before: tuple[Any, ...], state: tuple[Any, ...]) -> bool:
        return before[0] == state[0] if self.is_tracked else before == state


class SnapshotRowResolvesNothing(Pipeline):
    """Lets a version absorb a snapshot row that states a column it couldn't resolve."""

    def continues(self, event: LogRow, before: tuple[Any, ...], state: tuple[Any, ...]) -> bool:
        return super().continues(event, before[:2], state[:2])


class RememberedBeforeCommit(Pipeline):
    """Moves the settled position on before the history's commit."""

    def settle(self) -> None:
        pinned, self.settled = self.settled, len(self.log)
        self.pass_boundary()
        self.settled = pinned
        super().settle()


class TwoStatementsUnderOneId(Pipeline):
    """Deletes and inserts in two statements of one transaction id; the second is silently skipped."""

    def merge(self, deleted: Sequence[HistoryRow], put: Sequence[HistoryRow]) -> None:
        super().merge([] if put else deleted, put)
