"""Which events a log may hold already, told without asking it.

Events of a batch often lie below the highest sequence of the log: transactions interleave, so most batches reach back
a little. Whether such an event came before is told by the fingerprints of what this process appended; the log itself is
only asked where one of them matches, or where a batch reaches back further than they do.
"""

from collections import deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from fluvial.streams import BatchSummary

MOST_IN_A_BATCH: Final = 20_000
"""Events of a batch whose fingerprints are worth fetching; of a larger one asking the log costs less, relatively."""

_MOST_KEPT: Final = 20_000
"""Fingerprints of one table: about three megabytes, and a driver has many tables."""

Fingerprints = AbstractSet[int]
"""Event fingerprints: 64-bit hashes of identities. Equal events have equal ones, and hardly any others do."""


@dataclass
class RecentEvents:
    """What a log holds above `covered_after`: fingerprints batch by batch; below it nothing is known.

    `highest` is the highest sequence of the log, "" where it is empty.
    """

    highest: str
    covered_after: str = field(init=False)
    _batches: deque[tuple[str, Fingerprints]] = field(default_factory=deque, init=False)
    _seen: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.covered_after = self.highest

    def may_hold(self, summary: BatchSummary, fingerprints: Fingerprints | None) -> bool:
        """Whether some event of a batch may be in the log; False is certain."""
        lowest = summary.min_sequence or ""
        if lowest > self.highest:
            return False
        if fingerprints is None or lowest <= self.covered_after:
            return True
        return not self._seen.isdisjoint(fingerprints)

    def add(self, summary: BatchSummary, fingerprints: Fingerprints | None) -> None:
        """Tells that the log holds a batch's events now. Derived events have no fingerprint among the batch's."""
        reach = summary.max_sequence or ""
        self.highest = max(self.highest, reach)
        if fingerprints is None or summary.derived_events:
            self.covered_after = max(self.covered_after, reach)
        else:
            self._batches.append((reach, fingerprints))
            self._seen |= fingerprints
        while len(self._seen) > _MOST_KEPT:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Whatever it shares with a newer batch lies at or below its reach, too."""
        reach, fingerprints = self._batches.popleft()
        self._seen -= fingerprints
        self.covered_after = max(self.covered_after, reach)
