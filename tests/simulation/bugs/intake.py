"""Planted bugs of parsing, deduplication and the writes before the history."""

from typing import Any

from tests.simulation.delivery import Record
from tests.simulation.derive import LogRow, Position
from tests.simulation.model import Batch, Pipeline
from tests.simulation.source import Change


class NoSourcePosition(Pipeline):
    """Orders by commit time, because the capture wasn't told to include the log position."""

    def sequence(self, record: Record, change: Change) -> Position:
        return (change.epoch, change.operation != "READ", change.commit_time)


class ProcessingTimeOrder(Pipeline):
    """Orders by arrival."""

    def sequence(self, record: Record, change: Change) -> Position:
        return (change.epoch, change.operation != "READ", record.offset)


class SnapshotByPosition(Pipeline):
    """Believes the position that snapshot rows carry."""

    def sequence(self, record: Record, change: Change) -> Position:
        return (change.epoch, True, change.lsn)


class SnapshotsWithoutEpoch(Pipeline):
    """Sorts the rows of a second snapshot with those of the first."""

    def sequence(self, record: Record, change: Change) -> Position:
        return (0, change.operation != "READ", change.lsn)


class StreamWithoutEpoch(Pipeline):
    """Sorts what a new slot streams with what the old one streamed."""

    def sequence(self, record: Record, change: Change) -> Position:
        is_streamed = change.operation != "READ"
        return (0 if is_streamed else change.epoch, is_streamed, change.lsn)


class IncompleteSnapshotInfers(Pipeline):
    """Takes any row of a snapshot for the proof that it is complete."""

    def ends_snapshot(self, change: Change) -> bool:
        return change.operation == "READ"


class NothingIsInferred(Pipeline):
    """Keeps rows current that a complete snapshot doesn't show."""

    def ends_snapshot(self, change: Change) -> bool:
        return False


class ProcessingTimeInterval(Pipeline):
    """Takes the time of arrival for the commit time."""

    def commit_time(self, record: Record, change: Change) -> int:
        return record.offset


class HighWaterMark(Pipeline):
    """Drops what lies at or below the highest sequence seen, as if it were a repetition."""

    def deduplicate(self, rows: list[LogRow]) -> list[LogRow]:
        seen = [row.sequence for row in self.log]
        return [row for row in super().deduplicate(rows) if not seen or row.sequence > max(seen)]


class IdentityByOffset(Pipeline):
    """Knows an event by its Kafka offset, which is another one after a restart of the connector."""

    def parse_event(self, record: Record, change: Change, batch: Batch) -> LogRow:
        return super().parse_event(record, change, batch)._replace(payload_hash=record.offset)


class IdentityByPositionAlone(Pipeline):
    """Knows an event by its position, which both halves of a key change share."""

    def identity(self, row: LogRow) -> Any:
        return row.sequence


class IdentityIgnoresQuarantine(Pipeline):
    """Takes a repaired event for its own gap marker."""

    def identity(self, row: LogRow) -> Any:
        return (row.key, row.sequence, row.operation)


class EqualPayloadIsDuplicate(Pipeline):
    """Drops a row that equals an earlier one of its key, wherever that lies."""

    def identity(self, row: LogRow) -> Any:
        return (row.key, row.operation, row.a, row.b, row.leaves_out_b, row.is_quarantined)


class LatestPerBatch(Pipeline):
    """Keeps the last event of each key in a batch."""

    def filter_events(self, rows: list[LogRow]) -> list[LogRow]:
        return list({row.key: row for row in sorted(rows, key=lambda row: row.sequence)}.values())


class DeleteIgnored(Pipeline):
    """Drops deletes, as if their tombstones said enough."""

    def filter_events(self, rows: list[LogRow]) -> list[LogRow]:
        return [row for row in rows if row.operation != "DELETE"]


class TombstonesOfUnknownKeys(Pipeline):
    """Drops a delete whose key isn't in the history."""

    def filter_events(self, rows: list[LogRow]) -> list[LogRow]:
        known = {key for key, versions in self.history.items() if versions}
        return [row for row in rows if row.operation != "DELETE" or row.key in known]


class TruncateIgnored(Pipeline):
    """Drops truncates."""

    def filter_events(self, rows: list[LogRow]) -> list[LogRow]:
        return [row for row in rows if row.operation != "TRUNCATE"]


class GapMarkerDropped(Pipeline):
    """Leaves nothing in the log for a quarantined event."""

    def append(self, batch: Batch, fresh: list[LogRow]) -> None:
        super().append(batch, [row for row in fresh if not row.is_quarantined])


class QuarantinedOnEachTry(Pipeline):
    """Appends to the quarantine again after a crash."""

    def write_quarantine(self, batch: Batch, fresh: list[LogRow]) -> None:
        self.quarantine += [row for row in fresh if row.is_quarantined]


class QuarantinedOncePerBatch(Pipeline):
    """Knows what it has quarantined by query and batch, which are others once the checkpoint is lost."""

    def write_quarantine(self, batch: Batch, fresh: list[LogRow]) -> None:
        if not self.is_committed("quarantine", batch):
            self.quarantine += [row for row in fresh if row.is_quarantined]


class DeadLettersOncePerBatch(Pipeline):
    """Knows its dead letters by query and batch, which are others once the checkpoint is lost."""

    def write_dead_letters(self, batch: Batch, garbage: list[Record]) -> None:
        if not self.is_committed("dead letters", batch):
            self.dead_letters += [(record, batch) for record in garbage]


class LoggedOnEachTry(Pipeline):
    """Appends to the log again after a crash."""

    def append(self, batch: Batch, fresh: list[LogRow]) -> None:
        for row in fresh:
            self.identities[self.identity(row)] = batch
            self.log.append(row)
            self.rows_of[row.key].append(row)


class RetryCountsDuplicates(Pipeline):
    """Takes what an earlier try of the batch wrote for repetitions."""

    def deduplicate(self, rows: list[LogRow]) -> list[LogRow]:
        return [row for row in super().deduplicate(rows) if self.identity(row) not in self.identities]
