"""Bounds of a range as values of the column's own type, so that a comparison converts nothing and can't overflow."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

from fluvial.config.types import FLOATING_TYPES, INTEGER_TYPES, decimal_size

END_OF_BIGINT: Final = Decimal(2**63)
"""The first whole number that no integer type holds."""
_CONTEXT: Final = Context(prec=100)


def compared_type(spark_type: str) -> str:
    """The type in which a column of that type is compared: its own, or the widest of its kind."""
    if spark_type in FLOATING_TYPES:
        return "double"
    return "bigint" if spark_type in INTEGER_TYPES else spark_type


def least_from(bound: float | str, spark_type: str) -> Decimal | None:
    """The least value of an exact type that isn't below the bound; None where there is none."""
    return _rounded(bound, spark_type, ROUND_CEILING)


def greatest_up_to(bound: float | str, spark_type: str) -> Decimal | None:
    """The greatest value of an exact type that isn't above the bound; None where there is none."""
    return _rounded(bound, spark_type, ROUND_FLOOR)


def _rounded(bound: float | str, spark_type: str, rounding: str) -> Decimal | None:
    number, (lowest, highest, step) = Decimal(str(bound)), _extent(spark_type)
    if rounding == ROUND_CEILING and number <= lowest:
        return lowest
    if rounding == ROUND_FLOOR and number >= highest:
        return highest
    if not lowest <= number <= highest:
        return None
    return number.quantize(step, rounding=rounding, context=_CONTEXT)


def _extent(spark_type: str) -> tuple[Decimal, Decimal, Decimal]:
    """The lowest value, the highest one, and the distance from one to the next."""
    if spark_type in INTEGER_TYPES:
        return -END_OF_BIGINT, END_OF_BIGINT - 1, Decimal(1)
    precision, scale = decimal_size(spark_type)
    highest = Decimal((0, (9,) * precision, -scale))
    return highest.copy_negate(), highest, Decimal((0, (1,), -scale))
