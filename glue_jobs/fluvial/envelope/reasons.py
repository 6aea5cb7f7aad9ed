"""What kind of record it is, and why a record that should be a change event can't be one."""

import operator
from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.streams import CONTROL, DEAD_LETTER, EVENT, IMAGE, RAW_VALUE, REASON, TOMBSTONE

IS_CORRUPT: Final = "_is_corrupt"
HAS_PAYLOAD: Final = "_has_payload"
HAS_ENVELOPE: Final = "_has_envelope"
IS_CONTROL: Final = "_is_control"
_LONE_SURROGATE: Final = (
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def record_kind() -> Column:
    """`event`, `dead_letter`, `control` or `tombstone`; needs the reason computed before."""
    return (
        F.when(F.col(RAW_VALUE).isNull(), F.lit(TOMBSTONE))
        .when(F.col(REASON).isNotNull(), F.lit(DEAD_LETTER))
        .when(F.col(IS_CONTROL), F.lit(CONTROL))
        .otherwise(F.lit(EVENT))
    )


def rejection_reason(primary_key: tuple[str, ...]) -> Column:
    """The first thing wrong with a record, in words without values; NULL for a good one."""
    operation = F.col(c.OPERATION)
    has_row = operation != c.TRUNCATE
    key_missing = reduce(operator.or_, (F.col(name).isNull() for name in primary_key))
    return (
        F.when(F.col(RAW_VALUE).isNull(), None)
        .when(_is_not_text(), F.lit("not valid UTF-8 text"))
        .when(F.col(IS_CORRUPT), F.lit("malformed JSON, or a field of the envelope has the wrong type"))
        .when(F.col(HAS_PAYLOAD) & ~F.col(HAS_ENVELOPE), F.lit("converter writes schemas: set schemas.enable=false"))
        .when(~F.col(HAS_ENVELOPE), F.lit("neither a Debezium nor a DMS envelope"))
        .when(F.col(IS_CONTROL), None)
        .when(operation.isNull(), F.lit("unknown operation"))
        .when(F.col(c.SEQUENCE).isNull(), F.lit("no usable source position"))
        .when(F.col(c.COMMIT_TIME).isNull(), F.lit("no commit time"))
        .when(has_row & F.col(IMAGE).isNull() & (operation != c.DELETE), F.lit("no row image"))
        .when(has_row & key_missing, F.lit("primary key missing or unreadable"))
    )


def _is_not_text() -> Column:
    """Bytes that aren't UTF-8, or an escaped surrogate without its partner: reading them would change the data."""
    text = F.col(RAW_VALUE)
    damaged = F.encode(text, "UTF-8").cast("string") != text
    return damaged | (text.contains("\\u") & text.rlike(_LONE_SURROGATE))
