"""What a check finds out about a table's share of a micro-batch, and what it keeps for the writes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame

from fluvial.history.deduplicate import FreshCounts
from fluvial.history.recent_events import Fingerprints
from fluvial.io import delta
from fluvial.io.observed import Aggregates
from fluvial.io.staged_append import StagedAppend
from fluvial.metrics.analyzers import Measurement
from fluvial.streams import BatchSummary, CheckedRecords, FreshEvents


@dataclass
class Held:
    """A table's checked records, computed when they are first asked for, and not again.

    The quarantine's rows of them may have been written already: staged.
    """

    plan: Callable[[], CheckedRecords]
    quarantine: StagedAppend | None = None
    _frame: DataFrame | None = field(default=None, init=False)

    @property
    def records(self) -> CheckedRecords:
        """The frame; computed by the first action on it."""
        if self._frame is None:
            self._frame = delta.hold(self.plan())
        return CheckedRecords(self._frame)

    def compute(self, counts: Aggregates) -> dict[str, Any]:
        """Computes it now, with aggregates over it, in one job."""
        self._frame, values = delta.checkpoint_counted(self.plan(), counts)
        return values

    def release(self) -> None:
        """Frees what is held, and drops what was staged and not published."""
        if self._frame is not None:
            delta.release(self._frame)
        if self.quarantine is not None:
            self.quarantine.discard()


@dataclass(frozen=True)
class Counted:
    """What one pass told; `fingerprints` are the events', None for a large batch."""

    summary: BatchSummary
    measurements: tuple[Measurement, ...]
    fingerprints: Fingerprints | None

    @property
    def has_repeats(self) -> bool:
        """Whether an event came twice."""
        return self.summary.distinct_events < self.summary.events


@dataclass(frozen=True)
class CheckedBatch:
    """A table's records, parsed, judged, counted, and compared with the log; release it in the end.

    `fresh` gives the events that the log lacks. Where the pass that counted wrote their log rows, those are `staged`,
    and `held` and `fresh` are only of the records that go elsewhere.
    """

    held: Held
    counted: Counted
    counts: FreshCounts
    fresh: Callable[[], FreshEvents]
    staged: StagedAppend | None = None
    is_compared: bool = False
    """Whether the log had to be asked."""

    @property
    def summary(self) -> BatchSummary:
        """Of all its records."""
        return self.counted.summary

    def release(self) -> None:
        """Frees what it holds, and drops what was staged and not published."""
        self.held.release()
        if self.staged is not None:
            self.staged.discard()
