"""A value as one of another type; NULL where that would lose something of it."""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.types import FLOATING_TYPES, INTEGER_TYPES, YEARS, decimal_size, is_exact, is_numeric

_WHOLE_NUMBER: Final = r"^\s*[+-]?\d+(\.0*)?\s*$"
_EXPONENT: Final = r"[eE]"
_SPELLED: Final = {
    "date": r"^\s*\d{4}-\d\d?-\d\d?\s*$",
    "timestamp": r"^\s*\d{4}-\d\d?-\d\d?([ T].*)?$",
}
"""Spark takes a date out of a longer text, and '12:00' for noon of the day on which it reads it."""


def change_type(value: Column, found: str, wanted: str) -> Column:
    """The cast of a value from one Spark type to another.

    Spark's own cast cuts a fraction off, wraps a number that is too large and reads 5 out of '5.7'.
    """
    if found == "string":
        return _spelled(value, wanted)
    cast = value.cast(wanted)
    if is_numeric(found) and is_exact(wanted) and (found not in FLOATING_TYPES or wanted in INTEGER_TYPES):
        return F.when(cast == value, cast)
    return _within_years(cast, wanted)


def _spelled(text: Column, wanted: str) -> Column:
    """What a text spells, all of it."""
    cast = text.cast(wanted)
    if wanted in INTEGER_TYPES:
        return F.when(text.rlike(_WHOLE_NUMBER), cast)
    if wanted in YEARS:
        return F.when(text.rlike(_SPELLED[wanted]), _within_years(cast, wanted))
    if not is_exact(wanted):
        return cast
    _, scale = decimal_size(wanted)
    is_same = text.rlike(_EXPONENT) & (cast.cast("double") == text.cast("double"))
    return F.when(text.rlike(rf"^\s*[+-]?\d*(\.\d{{0,{scale}}}0*)?\s*$") | is_same, cast)


def _within_years(cast: Column, wanted: str) -> Column:
    """A time outside of the years that a lake holds is none."""
    if wanted not in YEARS:
        return cast
    first, last = (F.lit(end).cast(wanted) for end in YEARS[wanted])
    return F.when(cast.between(first, last), cast)


def as_number(value: Column, spark_type: str) -> Column:
    """Whole numbers as decimals: Spark's own integers wrap around when they grow too large."""
    return value.cast("decimal(20,0)") if spark_type in INTEGER_TYPES else value


def fit(value: Column, wanted: str, *, is_text: bool) -> Column:
    """A computed value in the type of its column: decimals are rounded, an integer has to be whole."""
    cast = value.cast(wanted)
    if is_text and wanted in YEARS:
        return _spelled(value, wanted)
    return F.when(cast == value, cast) if wanted in INTEGER_TYPES else _within_years(cast, wanted)
