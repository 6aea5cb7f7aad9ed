"""The named types of every stage of the chain, and what each one holds.

    Records ── parse_envelope ──> ParsedRecords ── check_rules ──> CheckedRecords
    CheckedRecords ── change_events ──> ChangeEvents ── deduplicate ──> FreshEvents
    FreshEvents ── quarantine_rows ──> Quarantined
                └─ log_rows ────────> LogRows
    LogRows ── settle ──> HistoryChanges

Every one is a Spark DataFrame; the names only say which columns it has, so that mypy refuses a step in the wrong place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NewType

from pyspark.sql import Column, DataFrame

Records = NewType("Records", DataFrame)
"""Kafka's own columns: key, value (binary), topic, partition, offset, timestamp."""

ParsedRecords = NewType("ParsedRecords", DataFrame)
"""One row for each change event and each other record: `kind`, `reason`, typed business columns, position columns."""

CheckedRecords = NewType("CheckedRecords", DataFrame)
"""ParsedRecords with `_violations` and `_has_error`."""

ChangeEvents = NewType("ChangeEvents", DataFrame)
"""The change events of CheckedRecords, and what they imply (`_is_derived`): the DELETE of the old key of a DMS key
change, and the snapshot boundary of the last row that a complete snapshot read."""

FreshEvents = NewType("FreshEvents", DataFrame)
"""The ChangeEvents that the log doesn't hold yet, each once."""

Quarantined = NewType("Quarantined", DataFrame)
"""Rows of the quarantine table."""

LogRows = NewType("LogRows", DataFrame)
"""Rows of the log: transformed business columns, or a gap marker for a quarantined event."""

DeadLetters = NewType("DeadLetters", DataFrame)
"""Rows of the dead-letter table."""

History = NewType("History", DataFrame)
"""Rows of the history table: one row is one version, with its FILE where that is known."""

HistoryChanges = NewType("HistoryChanges", DataFrame)
"""Versions to write, each with `_action`: INSERT, UPDATE or DELETE; and the FILE of the version that it replaces."""

# Working columns: they live between two steps and are never written.
KIND: Final = "_kind"
REASON: Final = "_reason"
IMAGE: Final = "_image"
PREVIOUS_KEY: Final = "_previous_key"
SNAPSHOT_END: Final = "_ends_snapshot"
UNREADABLE: Final = "_unreadable_columns"
FINGERPRINT: Final = "_fingerprint"
"""64 bits over an event's key, place and payload, to find repeats by; NULL for what is no event."""
IS_DERIVED: Final = "_is_derived"
HAS_ERROR: Final = "_has_error"
EVENT: Final = "event"
DEAD_LETTER: Final = "dead_letter"
CONTROL: Final = "control"
TOMBSTONE: Final = "tombstone"
RAW_KEY: Final = "_raw_key"
RAW_VALUE: Final = "_raw_value"
KAFKA_TIMESTAMP: Final = "_kafka_timestamp"
ACTION: Final = "_action"
FILE: Final = "_file"


@dataclass(frozen=True)
class TransformFailure:
    """A transform that can't do its work on some rows: those where `holds` is true."""

    rule_id: str
    column: str
    message: str
    holds: Column


@dataclass(frozen=True)
class BatchContext:
    """What a step may know of its surroundings: the micro-batch's identity and its processing time (UTC)."""

    query_id: str
    batch_id: int
    processed_at: datetime


@dataclass(frozen=True)
class BatchSummary:
    """What one pass over CheckedRecords counted.

    Sequences and commit times (µs since 1970) are None where the batch has no event; `keyless_` ones are the highest of
    truncates and snapshot boundaries, `snapshot_sequence` is the lowest of a snapshot's rows.
    """

    consumed: int
    events: int
    distinct_events: int
    derived_events: int
    violated: int
    dead_letters: int
    control_messages: int
    tombstones: int
    partial_events: int
    snapshot_sequence: str | None
    keyless_sequence: str | None
    keyless_commit_micros: int | None
    min_sequence: str | None
    max_sequence: str | None
    min_commit_micros: int | None
    max_commit_micros: int | None


@dataclass(frozen=True)
class TableCounts:
    """The accounting identity of one table and micro-batch; all are numbers of records."""

    consumed: int = 0
    log_rows: int = 0
    quarantined: int = 0
    dead_letters: int = 0
    control_messages: int = 0
    tombstones: int = 0
    duplicates: int = 0

    @property
    def is_balanced(self) -> bool:
        """Whether every consumed record went to exactly one place."""
        placed = self.log_rows + self.quarantined + self.dead_letters
        return self.consumed == placed + self.control_messages + self.tombstones + self.duplicates

    @property
    def is_redelivery(self) -> bool:
        """Whether all that came was known: such a batch leaves no trace in the lake."""
        return self.duplicates > 0 and self.log_rows + self.quarantined + self.dead_letters == 0

    def __add__(self, other: "TableCounts") -> "TableCounts":
        names = self.__dataclass_fields__
        return TableCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})
