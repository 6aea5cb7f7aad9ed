"""What kind of record it is, and why a record that should be a change event can't be one."""

import operator
from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.seldom import seldom
from fluvial.streams import CONTROL, DEAD_LETTER, EVENT, TOMBSTONE

IS_TOMBSTONE: Final = "_is_tombstone"
IS_NOT_TEXT: Final = "_is_not_text"
ENVELOPE_REASON: Final = "_envelope_reason"
IS_CONTROL: Final = "_is_control"
HAS_IMAGE: Final = "_has_image"
_BACKSLASH: Final = r"\\"
"""As a regex; one of those that Java finds without its engine."""
_ESCAPED_BACKSLASH: Final = r"\\\\"
"""A pair of them, as a regex: the second one begins no escape, whatever follows."""
_LONE_SURROGATE: Final = (
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def is_not_text(text: Column) -> Column:
    """Bytes that aren't UTF-8, or an escaped surrogate without its partner: reading them would change the data.

    Split at a backslash, a text comes back whole where it has none and Java reads its bytes as they are. Java does that
    faster than Spark looks through a text for two characters, so only other texts are looked through.
    """
    is_as_read = F.split(text, _BACKSLASH, 2)[0] == text
    damaged = F.encode(text, "UTF-8").cast("string") != text
    escapes = F.regexp_replace(text, _ESCAPED_BACKSLASH, "_")
    return ~is_as_read & (damaged | (text.contains("\\u") & escapes.rlike(_LONE_SURROGATE)))


def envelope_reason(is_corrupt: Column, has_payload: Column, has_envelope: Column) -> Column:
    """Why a record's text holds no envelope, in words without values; NULL where it does, and for a tombstone.

    Told where the parsed text is at hand, so that nothing behind has to carry it.
    """
    return (
        F.when(F.col(IS_TOMBSTONE), None)
        .when(F.col(IS_NOT_TEXT), F.lit("not valid UTF-8 text"))
        .when(is_corrupt, F.lit("malformed JSON, or a field of the envelope has the wrong type"))
        .when(has_payload & ~has_envelope, F.lit("converter writes schemas: set schemas.enable=false"))
        .when(~has_envelope, F.lit("neither a Debezium nor a DMS envelope"))
    )


def rejection_reason(primary_key: tuple[str, ...]) -> Column:
    """The first thing wrong with a record, in words without values; NULL for a good one."""
    operation = F.col(c.OPERATION)
    has_row = operation != c.TRUNCATE
    key_missing = reduce(operator.or_, (F.col(name).isNull() for name in primary_key))
    return (
        F.when(F.col(IS_TOMBSTONE), None)
        .when(F.col(ENVELOPE_REASON).isNotNull(), F.col(ENVELOPE_REASON))
        .when(F.col(IS_CONTROL), None)
        .when(operation.isNull(), F.lit("unknown operation"))
        .when(F.col(c.SEQUENCE).isNull(), F.lit("no usable source position"))
        .when(F.col(c.COMMIT_TIME).isNull(), F.lit("no commit time, or none of the years 1 to 9999"))
        .when(has_row & ~F.col(HAS_IMAGE) & (operation != c.DELETE), F.lit("no row image"))
        .when(has_row & key_missing, _keyless_reason(primary_key))
    )


def _keyless_reason(primary_key: tuple[str, ...]) -> Column:
    """Names the columns without a value that could be read."""
    said = "primary key missing or unreadable: "
    if len(primary_key) == 1:
        return F.lit(said + primary_key[0])
    missing = (F.when(F.col(name).isNull(), F.lit(name)) for name in primary_key)
    return seldom(F.concat(F.lit(said), F.concat_ws(", ", *missing)))


def record_kind(reason: Column) -> Column:
    """`event`, `dead_letter`, `control` or `tombstone`, of a record rejected for that reason, or for none."""
    return (
        F.when(F.col(IS_TOMBSTONE), F.lit(TOMBSTONE))
        .when(reason.isNotNull(), F.lit(DEAD_LETTER))
        .when(F.col(IS_CONTROL), F.lit(CONTROL))
        .otherwise(F.lit(EVENT))
    )
