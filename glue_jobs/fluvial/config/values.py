"""Whether a value written in tables.yaml can be compared with a column of some Spark type."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from fluvial.config.types import FLOATING_TYPES, INTEGER_TYPES, Family, family

# `range` compares as decimal(38,10): a bound outside of it would become NULL, and the rule would pass everything.
_MAX_INTEGER_DIGITS: Final = 28
_MAX_SCALE: Final = 10


def misfit(value: Any, spark_type: str) -> str:
    """Why the value can't be one of that type, as the end of a sentence; empty where it can."""
    match family(spark_type):
        case Family.NUMBER:
            return _misfit_number(value, spark_type)
        case Family.TIME:
            return _misfit_time(value, spark_type)
        case Family.BOOLEAN:
            return "" if str(value).lower() in {"true", "false"} else "isn't true or false"
        case Family.TEXT:
            return "" if isinstance(value, str | int | float) else "isn't text"
        case Family.BYTES:
            return "can't be compared with binary values"


def as_decimal(value: Any) -> Decimal | None:
    """The exact number, or None where it is none."""
    try:
        return None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def as_text(value: Any) -> str:
    """The value as text that Spark and PostgreSQL cast."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_time(value: Any) -> datetime | None:
    """A date or timestamp in ISO 8601, without its zone; None where it is none."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def _misfit_number(value: Any, spark_type: str) -> str:
    number = as_decimal(value)
    if number is None or not number.is_finite():
        return "isn't a number"
    if spark_type in FLOATING_TYPES:
        return ""
    if number and number.adjusted() >= _MAX_INTEGER_DIGITS:
        return f"has more than {_MAX_INTEGER_DIGITS} digits before the point"
    scale = -int(number.normalize().as_tuple().exponent)
    return f"has more than {_MAX_SCALE} digits after the point" if scale > _MAX_SCALE else ""


def _misfit_time(value: Any, spark_type: str) -> str:
    if as_time(value) is None:
        return f"isn't a {spark_type} in ISO 8601"
    if spark_type == "date" and len(str(value)) > len(date.min.isoformat()):
        return "isn't a date without a time"
    return ""


def misfit_exactly(value: Any, spark_type: str) -> str:
    """`misfit`, and a fraction can't equal an integer either."""
    number = as_decimal(value)
    if spark_type in INTEGER_TYPES and number is not None and number.is_finite() and number % 1:
        return "isn't a whole number"
    return misfit(value, spark_type)
