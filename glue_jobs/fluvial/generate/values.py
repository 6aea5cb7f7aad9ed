"""How one column's value is drawn: the `kind`s of scenario.yaml, each a frozen model with one `draw`."""

import string
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from fluvial.generate.draws import Draws, Kind, Value
from fluvial.generate.numbers import Clock, DecimalNumber, Double, Increment, Integer


class Serial(Kind):
    """1, 2, 3, or with a prefix VH-000001, VH-000002."""

    kind: Literal["serial"]
    prefix: str = ""
    digits: Annotated[int, Field(ge=0, le=18)] = 0

    def _draw(self, draws: Draws) -> Value:
        number = draws.next_serial()
        return f"{self.prefix}{number:0{self.digits}d}" if self.prefix else number

    def number(self, key: Value) -> int:
        """The number inside a key, 0 where it isn't one of this serial's."""
        digits = str(key).removeprefix(self.prefix)
        return int(digits) if digits.isdecimal() else 0


class Reference(Kind):
    """The key of a row that exists in another table."""

    kind: Literal["reference"]
    table: str

    def _draw(self, draws: Draws) -> Value:
        return draws.live_key(self.table)


class Choice(Kind):
    """One of the listed values; `weights` makes some of them likelier."""

    kind: Literal["choice"]
    values: Annotated[tuple[Value, ...], Field(min_length=1)]
    weights: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _a_weight_for_each_value(self) -> Self:
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.values)} values but {len(self.weights)} weights")
        return self

    def _draw(self, draws: Draws) -> Value:
        return draws.random.choices(self.values, self.weights or None)[0]


class Flag(Kind):
    """True as often as `true_share` says."""

    kind: Literal["flag"]
    true_share: Annotated[float, Field(ge=0, le=1)] = 0.5

    def _draw(self, draws: Draws) -> Value:
        return draws.random.random() < self.true_share


class Day(Kind):
    """A date from `min` to `max`, both included."""

    kind: Literal["day"]
    min: date
    max: date

    @model_validator(mode="after")
    def _min_first(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is after max {self.max}")
        return self

    def _draw(self, draws: Draws) -> Value:
        return self.min + timedelta(days=draws.random.randint(0, (self.max - self.min).days))


_PLACES: Final = {
    "#": string.digits,
    "?": string.ascii_lowercase,
    "^": string.ascii_uppercase,
    "*": "ABCDEFGHJKLMNPRSTUVWXYZ",
}


class Pattern(Kind):
    """Text by example: `#` a digit, `?` a small letter, `^` a capital, `*` a capital that a VIN may hold."""

    kind: Literal["pattern"]
    pattern: Annotated[str, Field(min_length=1, max_length=200)]

    def _draw(self, draws: Draws) -> Value:
        choose: Callable[[str], str] = draws.random.choice
        return "".join(choose(_PLACES[place]) if place in _PLACES else place for place in self.pattern)


class Fake(Kind):
    """A text of one of faker's providers, such as `last_name` or `company`."""

    kind: Literal["fake"]
    provider: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]

    def _draw(self, draws: Draws) -> Value:
        return draws.fake(self.provider)


class Prose(Kind):
    """Words nobody can compress: with more than 2,000 characters PostgreSQL keeps them out of line (TOAST)."""

    kind: Literal["prose"]
    min_words: Annotated[int, Field(ge=1)] = 3
    max_words: Annotated[int, Field(le=5000)] = 12
    long_share: Annotated[float, Field(ge=0, le=1)] = 0
    long_words: Annotated[int, Field(ge=1, le=5000)] = 500

    def _draw(self, draws: Draws) -> Value:
        random = draws.random
        is_long = random.random() < self.long_share
        count = self.long_words if is_long else random.randint(self.min_words, self.max_words)
        letters = random.choices(string.ascii_lowercase, k=count * 7)
        return " ".join("".join(letters[word * 7 : word * 7 + 7]) for word in range(count))


ValueKind = Annotated[
    Serial
    | Reference
    | Choice
    | Integer
    | DecimalNumber
    | Double
    | Increment
    | Flag
    | Clock
    | Day
    | Pattern
    | Fake
    | Prose,
    Field(discriminator="kind"),
]
