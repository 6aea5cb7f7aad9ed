"""What every kind of value shares: what it may look at, and how often it is null."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

Value = str | int | float | bool | Decimal | datetime | date | None
"""What a column can be set to."""


@dataclass(frozen=True)
class Increase:
    """Not a value but a step: the update adds it to what the row holds."""

    step: Decimal


class Draws(Protocol):
    """What a draw may look at; the same state gives the same value."""

    @property
    def random(self) -> Random:
        """The one source of chance."""

    def fake(self, provider: str) -> str:
        """A text of one of faker's providers."""

    def now(self) -> datetime:
        """The scenario's own time; two readings are never equal."""

    def next_serial(self) -> int:
        """The next number of the serial key of the table at hand."""

    def live_key(self, table: str) -> Value:
        """The first key column of some row that exists; None where the table is empty."""


class Kind(BaseModel):
    """One kind of value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    null_share: Annotated[float, Field(ge=0, le=1)] = 0

    def draw(self, draws: Draws) -> Value | Increase:
        """One value, or null as often as `null_share` says."""
        if self.null_share and draws.random.random() < self.null_share:
            return None
        return self._draw(draws)

    def _draw(self, draws: Draws) -> Value | Increase:
        raise NotImplementedError
