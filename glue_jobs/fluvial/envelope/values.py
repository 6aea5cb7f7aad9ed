"""Text of a row image into a typed value; null where the text can't be read as the type."""

import re
from collections.abc import Callable
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.types import YEARS, decimal_size
from fluvial.seldom import seldom

UNAVAILABLE: Final = ("__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")
"""What Debezium writes for an unchanged TOAST column: as text, and as base64 for bytes."""

_UNAVAILABLE_LISTS: Final = (
    *(f'["{text}"]' for text in UNAVAILABLE),
    "[" + ",".join(map(str, UNAVAILABLE[0].encode())) + "]",
    '["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]',
)
"""The same of a list: of texts, of bytes, of numbers and days, of UUIDs, where the placeholder's bytes are hashed.

Source: Debezium's `UnchangedToastedPlaceholder`.
"""

_WHOLE_NUMBER: Final = r"^[+-]?\d+(\.0*)?$"
_DIGITS: Final = r"^-?\d+$"
_DATE: Final = r"^\d{4}-\d\d-\d\d([T ]00:00(:00(\.0+)?)?)?Z?$"
"""A time of day other than midnight would be lost."""
_FIRST_DASH: Final = 5
_SECOND_DASH: Final = 8
"""Where `2026-01-31T...` has them."""
_SECOND_YEAR: Final = "0002"
_LAST_YEAR: Final = "9999"
"""Between them no zone makes a time lie outside the years 1 to 9999."""
_EXPONENT: Final = r"[eE]"
_BASE64: Final = r"^[A-Za-z0-9+/]*={0,2}$"
_BASE64_GROUP: Final = 4
_MICROSECONDS_FROM: Final = 100_000_000_000_000
"""Epoch numbers at or above this are microseconds: as milliseconds they would lie past the year 5138."""
_PLACEHOLDER_READS_AS: Final = ("string", "binary")
"""No other type has a value that is written like one of these."""


def is_unavailable(text: Column) -> Column:
    """Whether the text is the placeholder of a value that the event doesn't carry; NULL of a NULL."""
    is_list = F.coalesce(text.startswith("["), F.lit(False))
    return text.isin(*UNAVAILABLE) | (is_list & seldom(text.isin(*_UNAVAILABLE_LISTS)))


def _whole(spark_type: str) -> Callable[[Column], Column]:
    """Spark casts '5.7' to 5; a fraction must be unreadable instead."""

    def read(text: Column) -> Column:
        value = text.cast(spark_type)
        return _where_exact(value, text, text.rlike(_WHOLE_NUMBER))

    return read


def _where_exact(value: Column, text: Column, is_otherwise_exact: Column) -> Column:
    """The value where it is written like the text, as most sources' are, or where something else says so.

    Both conditions look at the value, so Spark reads it from the text once, not at each of the four places.
    """
    return F.when(value.cast("string") == text, value).when(value.isNotNull() & is_otherwise_exact, value)


def _date(text: Column) -> Column:
    """ISO dates, with Debezium's trailing Z, or days since 1970-01-01."""
    iso = F.when(text.rlike(_DATE), text.substr(1, 10).cast("date"))
    days = F.date_add(F.lit("1970-01-01").cast("date"), text.cast("int"))
    return within_years(F.when(text.rlike(_DIGITS), days).otherwise(iso), "date")


def _timestamp(text: Column) -> Column:
    """ISO times (UTC where no zone is given), or microseconds or milliseconds since the epoch, told apart by size."""
    number = text.cast("bigint")
    micros = F.when(F.abs(number) >= _MICROSECONDS_FROM, number).otherwise(number * 1000)
    is_number = number.isNotNull() & text.rlike(_DIGITS)
    return F.when(is_number, within_years(F.timestamp_micros(micros), "timestamp")).otherwise(read_time(text))


def within_years(value: Column, kind: str) -> Column:
    """The time or day where every reader of a lake agrees on it; else NULL."""
    return F.when(_is_within_years(value, kind), value)


def _is_within_years(value: Column, kind: str) -> Column:
    """PostgreSQL's `-infinity` comes as a moment some 290,000 years ago, or as a day in the year 5,877,611 BC."""
    first, last = (F.lit(end).cast(kind) for end in YEARS[kind])
    return value.between(first, last)


def read_time(text: Column) -> Column:
    """An ISO time of the years 1 to 9999, UTC where it gives no zone.

    The usual `Z` behind a digit is cut off first: Spark compiles a regex for each zone. It is cut from the bytes, which
    takes no counting of characters. Without a date Spark would take the day on which it reads: '12:00' would be another
    time tomorrow.
    """
    has_date = (F.locate("-", text) == _FIRST_DASH) & (F.locate("-", text, _FIRST_DASH + 1) == _SECOND_DASH)
    written = text.cast("binary")
    is_utc = text.endswith("Z") & written.substr(-2, 1).between(F.lit(b"0"), F.lit(b"9"))
    shortened = written.substr(F.lit(1), F.octet_length(text) - 1).cast("string")
    time = F.when(is_utc, shortened).otherwise(text).cast("timestamp")
    # Only of the outermost years the time itself has to be looked at; an array's own look reads the text once.
    is_inside = (text >= _SECOND_YEAR) & (text < _LAST_YEAR)
    outermost = F.filter(F.array(time), lambda read: _is_within_years(read, "timestamp"))[0]
    return F.when(has_date & is_inside, time).when(has_date, outermost)


def _decimal(spark_type: str) -> Callable[[Column], Column]:
    """Spark rounds what has too many digits after the point; it must be unreadable instead."""
    _, scale = decimal_size(spark_type)
    plain = rf"^[+-]?\d*(\.\d{{0,{scale}}}0*)?$"

    def read(text: Column) -> Column:
        value = text.cast(spark_type)
        is_same = text.rlike(_EXPONENT) & (value.cast("double") == text.cast("double"))
        return _where_exact(value, text, text.rlike(plain) | seldom(is_same))

    return read


def _binary(text: Column) -> Column:
    """Base64; Spark would read any other text as some bytes."""
    return F.when((F.length(text) % _BASE64_GROUP == 0) & text.rlike(_BASE64), F.unbase64(text))


def _boolean(text: Column) -> Column:
    """The two words that sources write, then whatever else Spark knows for them, which it has to tidy up first."""
    return F.when(text == "true", True).when(text == "false", False).otherwise(text.cast("boolean"))


def _cast(spark_type: str) -> Callable[[Column], Column]:
    return lambda text: text.cast(spark_type)


_READERS: Final[dict[str, Callable[[Column], Column]]] = {
    "string": lambda text: text,
    "boolean": _boolean,
    "tinyint": _whole("tinyint"),
    "smallint": _whole("smallint"),
    "int": _whole("int"),
    "bigint": _whole("bigint"),
    "date": _date,
    "timestamp": _timestamp,
    "binary": _binary,
}


def read_value(text: Column, spark_type: str) -> Column:
    """The text as a value of a type of `fluvial.config.types`; NULL for the placeholder of one that isn't there."""
    base = re.sub(r"\(.*", "", spark_type)
    if base == "decimal":
        return _decimal(spark_type)(text)
    value = _READERS.get(base, _cast(spark_type))(text).cast(spark_type)
    return F.when(~is_unavailable(text), value) if base in _PLACEHOLDER_READS_AS else value
