"""What each rule means in Spark: a Column that is true where the rule is *violated*, never NULL.

A null passes every rule but `not_null`; a column that the event doesn't author passes all of them.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.extensions import UserRule
from fluvial.config.rules import AllowedValuesRule, LengthRule, NotNullRule, RangeRule, RegexRule, Rule, UniqueRule
from fluvial.config.types import is_exact
from fluvial.config.values import as_text
from fluvial.quality.bounds import END_OF_BIGINT, compared_type, greatest_up_to, least_from

Predicate = Callable[[Any, str, Column], Column]
"""(rule, Spark type of its column, the column) -> violated."""


def violated_range(rule: RangeRule, spark_type: str, value: Column) -> Column:
    """Outside the inclusive bounds; NaN is outside any."""
    low, high = rule.params.min, rule.params.max
    below = F.lit(False) if low is None else _is_below(value, low, spark_type)
    above = F.lit(False) if high is None else _is_above(value, high, spark_type)
    not_a_number = F.isnan(value) if spark_type in {"double", "float"} else F.lit(False)
    return below | above | not_a_number


def _is_below(value: Column, bound: float | str, spark_type: str) -> Column:
    if not is_exact(spark_type):
        return value < F.lit(str(bound)).cast(compared_type(spark_type))
    least = least_from(bound, spark_type)
    return value.isNotNull() if least is None else value < _literal(least, spark_type)


def _is_above(value: Column, bound: float | str, spark_type: str) -> Column:
    if not is_exact(spark_type):
        return value > F.lit(str(bound)).cast(compared_type(spark_type))
    greatest = greatest_up_to(bound, spark_type)
    return value.isNotNull() if greatest is None else value > _literal(greatest, spark_type)


def _literal(number: Decimal, spark_type: str) -> Column:
    """Spark compares decimals as longs only where neither was made of a text."""
    is_long = number == number.to_integral_value() and abs(number) < END_OF_BIGINT
    return F.lit(int(number) if is_long else str(number)).cast(compared_type(spark_type))


def violated_allowed_values(rule: AllowedValuesRule, spark_type: str, value: Column) -> Column:
    """Not one of the values."""
    return ~value.isin([F.lit(as_text(allowed)).cast(spark_type) for allowed in rule.params.values])


def violated_regex(rule: RegexRule, spark_type: str, value: Column) -> Column:
    """The pattern matches nowhere in the text."""
    return ~value.cast("string").rlike(rule.params.pattern)


def violated_not_null(rule: NotNullRule, spark_type: str, value: Column) -> Column:
    """Missing."""
    return value.isNull()


def violated_length(rule: LengthRule, spark_type: str, value: Column) -> Column:
    """Fewer or more characters than the bounds allow."""
    length = F.length(value)
    below = F.lit(False) if rule.params.min is None else length < rule.params.min
    above = F.lit(False) if rule.params.max is None else length > rule.params.max
    return below | above


def violated_unique(rule: UniqueRule, spark_type: str, value: Column) -> Column:
    """Shared with a row of another key; compared beforehand, because a window may not stand inside a predicate."""
    return F.col(shared_name(rule.column))


def shared_name(column: str) -> str:
    """The working column that says whether a row shares its value of a column."""
    return f"_is_shared_{column}"


_PREDICATES: Final[dict[str, Predicate]] = {
    "length": violated_length,
    "range": violated_range,
    "allowed_values": violated_allowed_values,
    "regex": violated_regex,
    "not_null": violated_not_null,
    "unique": violated_unique,
}


def is_shared(value: Column, key: Column) -> Column:
    """Whether rows of different keys have the value; it is NULL for rows that don't take part."""
    # The offset keeps those rows from meeting in one place, for nothing.
    same = Window.partitionBy(value, F.when(value.isNull(), F.col(c.OFFSET)))
    return value.isNotNull() & (F.min(key).over(same) != F.max(key).over(same))


def violated(rule: Rule, spark_type: str) -> Column:
    """Where the rule is violated; NULL can't come out, so no row falls between the two sides of the split."""
    value = F.col(rule.column)
    breaks = rule.violated(value) if isinstance(rule, UserRule) else _PREDICATES[rule.type](rule, spark_type, value)
    return F.coalesce(breaks, F.lit(False))
