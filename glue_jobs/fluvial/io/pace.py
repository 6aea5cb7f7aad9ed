"""Whether a lane keeps up: while it doesn't, whatever a micro-batch needn't do makes the next one later."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fluvial.config.lanes import Lane


@dataclass
class Pace:
    """What is known of a lane's running, or last, micro-batch; `clock` gives seconds from any moment on."""

    lane: Lane
    clock: Callable[[], float] = time.monotonic
    _began: float = field(default=0.0, init=False)
    _ahead: int = field(default=0, init=False)

    def begin(self) -> None:
        """A micro-batch begins."""
        self._began = self.clock()

    def note(self, ahead: int) -> None:
        """So many records come after it."""
        self._ahead = ahead

    def is_behind(self) -> bool:
        """Whether the next micro-batch is due already, and will be full."""
        is_due = self.clock() - self._began >= self.lane.interval_seconds
        return is_due and self._ahead >= self.lane.max_records_per_batch
