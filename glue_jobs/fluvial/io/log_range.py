"""What a settle is asked to fold in, and what comes of it, whoever does the work."""

from collections.abc import Collection
from dataclasses import dataclass

from fluvial.history.range_bounds import RangeBounds
from fluvial.io import delta
from fluvial.io.delta_rewrite import Committed
from fluvial.io.log_bounds import Reach
from fluvial.io.log_reader import AddedRows


@dataclass(frozen=True)
class LogRange:
    """The rows that are new in a version of a log, how many they are if that is known, and their bounds.

    `reach` is that of all rows before them, where it is known.
    """

    log: delta.Snapshot
    added: AddedRows
    count: int | None
    bounds: RangeBounds
    reach: Reach | None

    def is_all_new(self, bounds: RangeBounds) -> bool:
        """Whether no row before them matters from such bounds on."""
        return self.reach is not None and self.reach.is_before(bounds)


@dataclass(frozen=True)
class Folded:
    """How many versions changed, the commit that did it, if there was one, and the files that it took away."""

    changed: int
    committed: Committed | None
    removed: Collection[str] = ()
