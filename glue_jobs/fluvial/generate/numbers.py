"""The kinds of values that are numbers or moments, drawn evenly between two bounds."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fluvial.generate.draws import Draws, Increase, Kind, Value


class _Between(Kind):
    min: float
    max: float

    @model_validator(mode="after")
    def _min_first(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self

    def _decimal(self, random: Random, scale: int) -> Decimal:
        unit = 10**scale
        return Decimal(random.randint(round(self.min * unit), round(self.max * unit))).scaleb(-scale)


class Integer(_Between):
    """A whole number, both ends included."""

    kind: Literal["integer"]

    def _draw(self, draws: Draws) -> Value:
        return int(self._decimal(draws.random, 0))


class DecimalNumber(_Between):
    """An exact number with `scale` digits after the point."""

    kind: Literal["decimal"]
    scale: Annotated[int, Field(ge=0, le=18)] = 2

    def _draw(self, draws: Draws) -> Value:
        return self._decimal(draws.random, self.scale)


class Double(_Between):
    """A floating-point number."""

    kind: Literal["double"]
    scale: Annotated[int, Field(ge=0, le=12)] = 4

    def _draw(self, draws: Draws) -> Value:
        return float(self._decimal(draws.random, self.scale))


class Increment(_Between):
    """Updates only: adds to what the row holds, so that an odometer never runs backwards."""

    kind: Literal["increase"]
    scale: Annotated[int, Field(ge=0, le=18)] = 1

    def _draw(self, draws: Draws) -> Increase:
        return Increase(self._decimal(draws.random, self.scale))


class Clock(_Between):
    """The scenario's present plus `min` to `max` seconds, in whole microseconds."""

    kind: Literal["clock"]
    min: float = 0
    max: float = 0

    def _draw(self, draws: Draws) -> Value:
        return draws.now() + timedelta(microseconds=int(self._decimal(draws.random, 6).scaleb(6)))
