"""Places between two writes of a micro-batch, where a test may end the process; production passes them by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

WRITES: Final = ("metrics", "dead letters", "quarantine", "log", "history", "batches")
"""The writes of a micro-batch, in their order; the first, second and last are for all tables at once."""
FAILPOINTS: Final = tuple(f"{side} {write}" for write in WRITES for side in ("before", "after"))


class Failpoints:
    """Does nothing where one could die."""

    @contextmanager
    def around(self, write: str) -> Iterator[None]:
        """Encloses one write, one of WRITES."""
        self.reach(f"before {write}")
        yield
        self.reach(f"after {write}")

    def reach(self, place: str) -> None:
        """Called at each of FAILPOINTS."""


class Crash(BaseException):
    """The process died; no `except Exception` may take it for the failure of one table."""


@dataclass
class CrashAt(Failpoints):
    """A fake that dies at one place, and with it everything that goes on beside it."""

    place: str
    is_dead: bool = field(default=False, init=False)

    def reach(self, place: str) -> None:
        """Raises Crash."""
        self.is_dead = self.is_dead or place == self.place
        if self.is_dead:
            raise Crash(place)
