"""Rules of tables.yaml: parameters and their checks; what a rule means in Spark is in `fluvial.quality.predicates`."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=128)]
    column: str
    severity: Literal["error", "warning"] = "error"


class RangeParams(_Params):
    """Inclusive bounds; at least one."""

    min: float | int | str | None = None
    max: float | int | str | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("range needs min, max or both")
        return self


class RangeRule(_Rule):
    """`min` <= value <= `max`; null passes."""

    type: Literal["range"]
    params: RangeParams


class AllowedValuesParams(_Params):
    """The values that pass."""

    values: Annotated[tuple[Any, ...], Field(min_length=1)]


class AllowedValuesRule(_Rule):
    """The value is one of `values`; null passes."""

    type: Literal["allowed_values"]
    params: AllowedValuesParams


class RegexParams(_Params):
    """A Java regular expression that must match somewhere in the text; anchor it with ^ and $."""

    pattern: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern


class RegexRule(_Rule):
    """The text matches `pattern`; null passes."""

    type: Literal["regex"]
    params: RegexParams


class NotNullRule(_Rule):
    """The value is present."""

    type: Literal["not_null"]
    params: _Params = _Params()


Rule = Annotated[RangeRule | AllowedValuesRule | RegexRule | NotNullRule, Field(discriminator="type")]
