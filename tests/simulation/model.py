"""The pipeline in plain Python: parse, deduplicate, quarantine, log, settle; the algorithm that the Spark job follows.

Its state is what outlives a crash. The fuse counts the boundaries between writes; at zero the process dies there.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tests.simulation.delivery import CONTROL, EVENT, GARBAGE, TOMBSTONE, Record
from tests.simulation.derive import Derivation, HistoryRow, LogRow, Position
from tests.simulation.source import AUTHORED, Change

BOUNDARIES: Final = 8
"""Places between writes in one batch."""
Batch = tuple[int, int]
"""Query id and batch id."""
Counts = tuple[int, int, int, int, int, int, int]
"""consumed, log rows, quarantined, dead letters, control messages, tombstones, duplicates."""


class Crash(Exception):
    """The process dies here."""


class Pipeline(Derivation):
    """One table's chain; every decision is a method, so that a planted bug is a subclass with one changed method."""

    def __init__(self, is_tracked: bool) -> None:
        super().__init__(is_tracked)
        self.log: list[LogRow] = []
        self.rows_of: defaultdict[int | None, list[LogRow]] = defaultdict(list)
        self.identities: dict[Any, Batch] = {}
        self.quarantine: list[LogRow] = []
        self.dead_letters: list[tuple[Record, Batch]] = []
        self.committed: set[tuple[str, Batch]] = set()
        self.metrics: list[Batch] = []
        self.accounting: dict[Batch, Counts] = {}
        self.history: defaultdict[int, dict[Position, HistoryRow]] = defaultdict(dict)
        self.settled = 0
        self.changed = 0
        self.fuse = 0

    def process(self, batch: Batch, records: Sequence[Record], settles: bool, fuse: int = 0) -> None:
        """One micro-batch; safe to call again after a Crash with the same batch and records."""
        self.fuse = fuse
        fresh = self.deduplicate(self.filter_events(self.parse(records, batch)))
        self.pass_boundary()
        self.write_metrics(batch, fresh)
        self.pass_boundary()
        self.write_dead_letters(batch, [record for record in records if record.kind == GARBAGE])
        for write in (self.write_quarantine, self.append):
            self.pass_boundary()
            write(batch, fresh)
        if settles:
            self.settle()
        self.pass_boundary()
        self.accounting[batch] = self.count(batch, records, fresh)
        self.pass_boundary()

    def pass_boundary(self) -> None:
        """A place between two writes, where the fuse may end the process."""
        self.fuse -= 1
        if self.fuse == 0:
            raise Crash

    # Parsing.

    def parse(self, records: Iterable[Record], batch: Batch) -> list[LogRow]:
        """Log rows of all events among the records; those that break a rule become gap markers."""
        rows = []
        for record in records:
            if record.kind == EVENT and record.change is not None:
                rows.append(self.parse_event(record, record.change, batch))
                if self.ends_snapshot(record.change):
                    rows.append(self.boundary(rows[-1]))
        return rows

    def parse_event(self, record: Record, change: Change, batch: Batch) -> LogRow:
        """One event as a log row."""
        return LogRow(
            change.key,
            self.sequence(record, change),
            change.operation,
            self.commit_time(record, change),
            change.a,
            change.b,
            self.leaves_out_b(change),
            change.payload_hash,
            change.is_bad,
            batch,
        )

    def ends_snapshot(self, change: Change) -> bool:
        """Whether this row is the last of a complete snapshot."""
        return change.ends_snapshot

    def boundary(self, row: LogRow) -> LogRow:
        """What the last row of a snapshot says of all that have none in it; no record of its own."""
        boundary = LogRow(None, row.sequence, "SNAPSHOT", row.commit_time, None, None, False, 0, False, row.batch)
        return boundary._replace(payload_hash=row.commit_time)

    def sequence(self, record: Record, change: Change) -> Position:
        """Snapshot rows of an epoch first, then its stream by position."""
        return (change.epoch, change.operation != "READ", change.lsn)

    def commit_time(self, record: Record, change: Change) -> int:
        """The source's own time."""
        return change.commit_time

    def leaves_out_b(self, change: Change) -> bool:
        """Whether the event says nothing about column b."""
        return change.b_kind != AUTHORED

    def filter_events(self, rows: list[LogRow]) -> list[LogRow]:
        """Every event counts: none is dropped for what it is."""
        return rows

    # Exactly once.

    def identity(self, row: LogRow) -> Any:
        """What makes a redelivery a duplicate."""
        return (row.key, row.sequence, row.operation, row.payload_hash, row.is_quarantined)

    def deduplicate(self, rows: list[LogRow]) -> list[LogRow]:
        """Rows that the log doesn't hold, each once; those that an earlier try of this batch wrote count as new."""
        fresh = {}
        for row in rows:
            identity = self.identity(row)
            if identity not in fresh and self.identities.get(identity, row.batch) == row.batch:
                fresh[identity] = row
        return list(fresh.values())

    def is_committed(self, sink: str, batch: Batch) -> bool:
        """Whether this sink took this batch before; marks it as taken."""
        known = (sink, batch) in self.committed
        self.committed.add((sink, batch))
        return known

    def write_metrics(self, batch: Batch, fresh: list[LogRow]) -> None:
        """One row of metrics for each batch."""
        if not self.is_committed("metrics", batch):
            self.metrics.append(batch)

    def write_dead_letters(self, batch: Batch, garbage: list[Record]) -> None:
        """Appends the records that aren't there yet."""
        held = {record.offset for record, _ in self.dead_letters}
        self.dead_letters += [(record, batch) for record in garbage if record.offset not in held]

    def write_quarantine(self, batch: Batch, fresh: list[LogRow]) -> None:
        """Appends the rows that break a rule and aren't there yet: a batch may have died before it logged them."""
        held = {self.identity(row) for row in self.quarantine}
        self.quarantine += [row for row in fresh if row.is_quarantined and self.identity(row) not in held]

    def append(self, batch: Batch, fresh: list[LogRow]) -> None:
        """Appends to the log what it doesn't hold."""
        for row in fresh:
            if (identity := self.identity(row)) not in self.identities:
                self.identities[identity] = batch
                self.log.append(row)
                self.rows_of[row.key].append(row)

    def count(self, batch: Batch, records: Sequence[Record], fresh: list[LogRow]) -> Counts:
        """The accounting identity of a batch."""
        kinds = [record.kind for record in records]
        dead = sum(writer == batch for _, writer in self.dead_letters)
        quarantined = sum(row.is_quarantined for row in fresh)
        placed = sum(row.operation != "SNAPSHOT" for row in fresh)
        return (
            len(kinds),
            placed - quarantined,
            quarantined,
            dead,
            kinds.count(CONTROL),
            kinds.count(TOMBSTONE),
            kinds.count(EVENT) - placed + kinds.count(GARBAGE) - dead,
        )

    # Settling.

    def settle(self) -> None:
        """Folds the log rows since the last settled position into the history, in one commit."""
        end = len(self.log)
        pinned = self.log[self.settled : end]
        if pinned:
            earliest = self.earliest(pinned)
            changes = [self.changes(key, bound, earliest) for key, bound in self.bounds(pinned).items()]
            self.pass_boundary()
            self.merge([row for deleted, _ in changes for row in deleted], [row for _, put in changes for row in put])
            self.pass_boundary()
        self.settled = end

    def earliest(self, pinned: Sequence[LogRow]) -> int:
        """The earliest commit of what is derived again: a snapshot's row reaches back over older ones of it."""
        starts = [self.reach(row.sequence) for row in pinned if self.reach(row.sequence) != row.sequence]
        again = [row for row in self.log if starts and row.sequence >= min(starts)]
        return min(row.commit_time for row in (*pinned, *again))

    def bounds(self, pinned: Sequence[LogRow]) -> dict[int, Position]:
        """For each touched key the sequence from which its versions are derived again."""
        bounds: dict[int, Position] = {}
        for row in pinned:
            if row.key is not None:
                reach = self.reach(row.sequence)
                bounds[row.key] = min(bounds.get(row.key, reach), reach)
        keyless = [row for row in pinned if row.key is None]
        if keyless:
            lowest = min(self.reach(row.sequence) for row in keyless)
            for key in {*bounds, *(key for key in self.history if self.reaches(key, lowest, keyless))}:
                bounds[key] = min(bounds.get(key, lowest), lowest)
        return bounds

    def reaches(self, key: int, bound: Position, keyless: Sequence[LogRow]) -> bool:
        """Whether a key has a version, open at the bound or later, that one of the keyless rows can change."""
        highest, latest = max(row.sequence for row in keyless), max(row.commit_time for row in keyless)
        return any(
            row.end_sequence is None or row.end_sequence >= bound
            for row in self.history[key].values()
            if row.sequence < highest or row.effective_from < latest
        )

    def base(self, key: int, bound: Position) -> HistoryRow | None:
        """The version that the bound falls into."""
        for row in self.history[key].values():
            if row.sequence < bound and (row.end_sequence is None or row.end_sequence >= bound):
                return row
        return None

    def floor(self, rows: Sequence[LogRow], bound: Position, earliest: int) -> int | None:
        """The latest commit time before the bound, as far as it can matter."""
        times = [row.commit_time for row in rows if row.commit_time > earliest and row.sequence < bound]
        return max(times, default=None)

    def changes(self, key: int, bound: Position, earliest: int) -> tuple[list[HistoryRow], list[HistoryRow]]:
        """History rows of a key to delete, and to insert or overwrite."""
        rows = self.rows_of[key] + self.rows_of[None]
        floor, base = self.floor(rows, bound, earliest), self.base(key, bound)
        if self.is_tracked and base is not None:
            # Its start is the running maximum there; rows between it and the old bound come again as events.
            floor, bound = base.effective_from, base.sequence
            base = self.base(key, bound)
        derived = self.derive(base, bound, floor, self.relevant(rows, bound))
        return self.difference(key, bound, base, derived)

    def relevant(self, rows: Sequence[LogRow], bound: Position) -> list[LogRow]:
        """Rows of the log to derive from."""
        return [row for row in rows if row.sequence >= bound]

    def difference(
        self, key: int, bound: Position, base: HistoryRow | None, derived: Sequence[HistoryRow]
    ) -> tuple[list[HistoryRow], list[HistoryRow]]:
        """What the history holds too much, and what it lacks or has otherwise."""
        existing = self.history[key]
        wanted = {row.sequence for row in derived}
        deleted = [row for row in existing.values() if row.sequence >= bound and row.sequence not in wanted]
        return deleted, [row for row in derived if existing.get(row.sequence) != row]

    def merge(self, deleted: Sequence[HistoryRow], put: Sequence[HistoryRow]) -> None:
        """One atomic commit."""
        self.changed += len(deleted) + len(put)
        for row in deleted:
            del self.history[row.key][row.sequence]
        for row in put:
            self.history[row.key][row.sequence] = row
