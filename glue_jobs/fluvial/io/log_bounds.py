"""The bounds of log rows that `settle_versions` wants as literals: read from the log, or kept from batch to batch."""

import sys
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.history.epoch import FIRST_EPOCH_START, reach_of_text, snapshot_start
from fluvial.history.range_bounds import Keyless, RangeBounds, later
from fluvial.streams import BatchSummary, LogRows

_LAST_SEQUENCE: Final = "~"


@dataclass(frozen=True)
class Reach:
    """The highest sequence and the latest commit time (µs since 1970) of some log rows."""

    sequence: str = ""
    commit_micros: int = -sys.maxsize

    def with_batch(self, summary: BatchSummary) -> "Reach":
        """The reach of the batch's rows too, truncates and snapshot boundaries among them."""
        sequences = (self.sequence, summary.max_sequence, summary.keyless_sequence)
        micros = (self.commit_micros, summary.max_commit_micros, summary.keyless_commit_micros)
        return Reach(max(filter(None, sequences), default=""), max(at for at in micros if at is not None))

    def is_before(self, bounds: RangeBounds) -> bool:
        """Whether none of the rows can matter to a range with these bounds, whose rows are all newer."""
        return self.sequence < bounds.min_sequence and self.commit_micros <= bounds.min_commit_micros


@dataclass(frozen=True)
class LogTraits:
    """How far a log reaches, and what some row of it has; plans are smaller where none has it."""

    keyless: Keyless | None
    has_partial: bool
    reach: Reach

    def with_batch(self, summary: BatchSummary) -> "LogTraits":
        """The traits once the log holds the batch's rows too."""
        keyless = later(self.keyless, _batch_keyless(summary))
        return LogTraits(keyless, self.has_partial or summary.partial_events > 0, self.reach.with_batch(summary))


@dataclass(frozen=True)
class Grown:
    """What this process has appended to the log since the last settle: how many versions, and their bounds."""

    versions: int
    min_sequence: str
    min_commit_micros: int
    snapshot_start: str | None
    keyless: Keyless | None

    @property
    def reaches_back(self) -> bool:
        """Whether older rows of a snapshot are derived again; in the first epoch everything is near by its sequence."""
        return self.snapshot_start not in {None, FIRST_EPOCH_START}

    def with_batch(self, summary: BatchSummary) -> "Grown":
        """With one more version; events always have a sequence and a commit time."""
        return Grown(
            self.versions + 1,
            min(self.min_sequence, summary.min_sequence or ""),
            min(self.min_commit_micros, summary.min_commit_micros or 0),
            min(filter(None, (self.snapshot_start, _batch_start(summary))), default=None),
            later(self.keyless, _batch_keyless(summary)),
        )


NOTHING: Final = Grown(0, _LAST_SEQUENCE, sys.maxsize, None, None)
"""Before the first batch."""


def measure_range(changes: LogRows) -> Grown | None:
    """The bounds of a range of log rows; None where it holds none."""
    lowest = (F.min(c.SEQUENCE), F.min(F.unix_micros(c.COMMIT_TIME)), F.min(snapshot_start(F.col(c.SEQUENCE))))
    sequence, micros, start, *last = changes.agg(*lowest, *_keyless_columns()).collect()[0]
    return None if sequence is None or micros is None else Grown(1, sequence, micros, start, _keyless(*last))


def earliest_commit(grown: Grown, log: DataFrame) -> int:
    """In microseconds, of all rows that are derived again: what was committed before all of them moves none of them.

    A row of a snapshot reaches back over older rows of it, which may have been committed before it.
    """
    again = log.where(F.col(c.SEQUENCE) >= (grown.snapshot_start or ""))
    found = again.agg(F.min(F.unix_micros(c.COMMIT_TIME))).collect()[0][0]
    return min(grown.min_commit_micros, found or grown.min_commit_micros)


def read_traits(log: DataFrame) -> LogTraits:
    """What some row of the log has."""
    has_partial = F.coalesce(F.max(F.col(c.NOT_AUTHORED).isNotNull()), F.lit(False))
    reach = (F.max(c.SEQUENCE), F.max(F.unix_micros(c.COMMIT_TIME)))
    *last, partial, sequence, micros = log.agg(*_keyless_columns(), has_partial, *reach).collect()[0]
    return LogTraits(_keyless(*last), partial, Reach() if sequence is None else Reach(sequence, micros))


def _batch_start(summary: BatchSummary) -> str | None:
    return None if summary.snapshot_sequence is None else reach_of_text(summary.snapshot_sequence)


def _batch_keyless(summary: BatchSummary) -> Keyless | None:
    return _keyless(summary.keyless_sequence, summary.keyless_commit_micros)


def _keyless_columns() -> list[Column]:
    """Aggregates over log rows, in the order of Keyless's fields."""
    is_keyless = F.col(c.OPERATION).isin(*c.KEYLESS)
    return [F.max(F.when(is_keyless, value)) for value in (F.col(c.SEQUENCE), F.unix_micros(c.COMMIT_TIME))]


def _keyless(sequence: str | None, commit_micros: int | None) -> Keyless | None:
    return None if sequence is None or commit_micros is None else Keyless(sequence, commit_micros)
