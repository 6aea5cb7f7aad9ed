"""Rules of tables.yaml: parameters and their checks; what a rule means in Spark is in `fluvial.quality.predicates`."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fluvial.config.base import PRINTABLE, Params, WithParams
from fluvial.config.codes import Code
from fluvial.config.findings import Finding, describe
from fluvial.config.java_regex import regex_error
from fluvial.config.types import Family
from fluvial.config.values import as_decimal, as_time, misfit, misfit_exactly


class BaseRule(WithParams):
    """What a row must satisfy in one column."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    """The families of column types that the rule can judge."""

    looks_at_batch: ClassVar[bool] = False
    """Whether a row's verdict depends on the other rows of its micro-batch."""

    id: Annotated[str, Field(pattern=PRINTABLE, min_length=1, max_length=128)]
    """Names the rule in violations, quarantine and metrics; one of its kind in the table."""

    column: str
    """The column that is judged."""

    severity: Literal["error", "warning"] = "error"
    """`error` quarantines the row, `warning` records the violation and lets it pass."""

    type: str
    params: Params = Params()

    def check_params(self, spark_type: str) -> Iterator[Finding]:
        """What is wrong with the parameters for a column of that type; paths start at the rule."""
        yield from ()


def _bound(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("wrong_bound", "expected a number, a date or a timestamp")
    return value


Bound = Annotated[float | int | str, BeforeValidator(_bound)]
"""A number, or a date or timestamp in ISO 8601."""


class RangeParams(Params):
    """Inclusive bounds; at least one."""

    min: Bound | None = None
    """The smallest value that passes."""

    max: Bound | None = None
    """The largest value that passes."""

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("no_bound", "range needs min, max or both")
        return self


class RangeRule(BaseRule):
    """`min` <= value <= `max`; null passes."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.NUMBER, Family.TIME})

    type: Literal["range"]
    params: Annotated[RangeParams, Field(examples=[{"min": 0, "max": 100}])]
    """The bounds."""

    def check_params(self, spark_type: str) -> Iterator[Finding]:
        """Bounds of the column's type, the lower one not above the upper one."""
        bounds = {"min": self.params.min, "max": self.params.max}
        wrong = [
            Finding(("params", name), Code.WRONG_BOUND, f"{name} {describe(bound)} {reason}", _bound_hint(spark_type))
            for name, bound in bounds.items()
            if bound is not None and (reason := misfit(bound, spark_type))
        ]
        yield from wrong
        if not wrong:
            yield from _empty_range(self.params.min, self.params.max)


def _empty_range(low: object, high: object) -> Iterator[Finding]:
    if _is_above(low, high):
        message = f"min {low} is above max {high}: no value can pass"
        yield Finding(("params", "min"), Code.EMPTY_RANGE, message, "swap min and max")


def _bound_hint(spark_type: str) -> str:
    examples = {"date": "write it as 2024-01-31", "timestamp": "write it as 2024-01-31T08:00:00Z"}
    return examples.get(spark_type, f"the column is {spark_type}: give a number")


def _is_above(low: object, high: object) -> bool:
    numbers = as_decimal(low), as_decimal(high)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] > numbers[1]
    times = as_time(low), as_time(high)
    return times[0] is not None and times[1] is not None and times[0] > times[1]


class AllowedValuesParams(Params):
    """The values that pass."""

    values: Annotated[tuple[Any, ...], Field(min_length=1)]
    """At least one; of the column's type."""


class AllowedValuesRule(BaseRule):
    """The value is one of `values`; null passes."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family) - {Family.BYTES}

    type: Literal["allowed_values"]
    params: Annotated[AllowedValuesParams, Field(examples=[{"values": ["new", "done"]}])]
    """The values."""

    def check_params(self, spark_type: str) -> Iterator[Finding]:
        """Every value is one that the column can hold."""
        for position, value in enumerate(self.params.values):
            path = ("params", "values", position)
            if value is None:
                yield Finding(
                    path, Code.WRONG_ALLOWED_VALUE, "null can't be listed", "null passes; add a not_null rule"
                )
            elif reason := misfit_exactly(value, spark_type):
                message = f"{describe(value)} {reason}, so no value of a {spark_type} column equals it"
                yield Finding(path, Code.WRONG_ALLOWED_VALUE, message, "remove it, or correct the column's type")


class RegexParams(Params):
    """A Java regular expression that must match somewhere in the text; anchor it with ^ and $."""

    pattern: Annotated[str, Field(max_length=1_000)]
    """Java's syntax, because Spark runs it."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        if reason := regex_error(pattern):
            raise PydanticCustomError("wrong_regex", "not a regular expression: {reason}", {"reason": reason})
        return pattern


class RegexRule(BaseRule):
    """The text matches `pattern`; null passes."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.TEXT})

    type: Literal["regex"]
    params: Annotated[RegexParams, Field(examples=[{"pattern": "^[A-Z]{2}$"}])]
    """The pattern."""


class NotNullRule(BaseRule):
    """The value is present."""

    type: Literal["not_null"]
    params: Params = Params()


Length = Annotated[int, Field(ge=0, le=2_147_483_647)]
"""A number of characters."""


class LengthParams(Params):
    """Inclusive bounds in characters (Unicode code points, not bytes); at least one."""

    min: Length | None = None
    """The fewest that pass."""

    max: Length | None = None
    """The most that pass."""

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("no_bound", "length needs min, max or both")
        return self


class LengthRule(BaseRule):
    """The text has `min` to `max` characters; null passes."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.TEXT})

    type: Literal["length"]
    params: Annotated[LengthParams, Field(examples=[{"min": 1, "max": 40}])]
    """The bounds."""

    def check_params(self, spark_type: str) -> Iterator[Finding]:
        """The lower bound isn't above the upper one."""
        yield from _empty_range(self.params.min, self.params.max)


class UniqueRule(BaseRule):
    """No row of another key has the value in the same micro-batch; null passes.

    All rows that share a value break the rule. Which rows meet in a micro-batch is chance, so `warning` is the default:
    with `error`, what is quarantined, and with it the history, depends on how the stream was cut into batches.
    """

    severity: Literal["error", "warning"] = "warning"
    """`warning` records the violation; `error` quarantines every row that shares the value, and makes the table's
    history depend on batching."""

    type: Literal["unique"]
    params: Params = Params()

    looks_at_batch: ClassVar[bool] = True

    def check_params(self, spark_type: str) -> Iterator[Finding]:
        """A verdict by chance shouldn't decide what the history is."""
        if self.severity == "error":
            message = f"rule '{self.id}' quarantines by what else is in a micro-batch: the history depends on batching"
            hint = "write `severity: warning`, and let the source keep the column unique"
            yield Finding(("severity",), Code.DEPENDS_ON_BATCH, message, hint, "warning", "error")


BUILT_IN_RULES: Final = (RangeRule, AllowedValuesRule, RegexRule, NotNullRule, LengthRule, UniqueRule)

if TYPE_CHECKING:
    Rule = BaseRule
else:
    # What a use case registers joins them: see `fluvial.config.extended_model`.
    Rule = Annotated[reduce(or_, BUILT_IN_RULES), Field(discriminator="type")]
