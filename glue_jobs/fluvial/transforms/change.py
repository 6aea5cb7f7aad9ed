"""What each transform does that keeps to its column."""

from collections.abc import Callable
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.deidentification import GeneralizeTransform
from fluvial.config.extensions import UserTransform
from fluvial.config.transforms import MaskPiiTransform, RoundTransform, Transform
from fluvial.transforms.hide import apply_drop, apply_encrypt, apply_generalize, apply_tokenize

Change = Callable[[Any, Column], Column]
"""(transform, the column so far) -> the changed column."""


def apply_trim(transform: Transform, value: Column) -> Column:
    """Without spaces at both ends."""
    return F.trim(value)


def apply_lower(transform: Transform, value: Column) -> Column:
    """In lower case."""
    return F.lower(value)


def apply_upper(transform: Transform, value: Column) -> Column:
    """In upper case."""
    return F.upper(value)


def apply_round(transform: RoundTransform, value: Column, spark_type: str) -> Column:
    """Half up to the configured digits; a value that this would carry beyond its type stays as it is."""
    rounded = F.round(value, transform.params.decimals)
    return F.coalesce(rounded.cast(spark_type), value) if spark_type.startswith("decimal") else rounded


def apply_mask_pii(transform: MaskPiiTransform, value: Column) -> Column:
    """All but the last characters as `*`; a value no longer than the visible part is hidden whole."""
    visible = transform.params.visible_chars
    length = F.length(value)
    hidden = F.when(length > visible, length - visible).otherwise(length)
    tail = F.when(length > visible, F.right(value, F.lit(visible))).otherwise(F.lit(""))
    return F.concat(F.regexp_replace(value.substr(F.lit(1), hidden), "(?s).", "*"), tail)


_CHANGES: Final[dict[str, Change]] = {
    "trim": apply_trim,
    "lower": apply_lower,
    "upper": apply_upper,
    "mask_pii": apply_mask_pii,
    "tokenize": apply_tokenize,
    "encrypt": apply_encrypt,
    "drop": apply_drop,
}


def change_column(transform: Transform, value: Column, spark_type: str) -> Column:
    """One transform that keeps to its column."""
    if isinstance(transform, UserTransform):
        changed: Column = transform.change(value)
        return changed
    if isinstance(transform, RoundTransform):
        return apply_round(transform, value, spark_type)
    if isinstance(transform, GeneralizeTransform):
        return apply_generalize(transform, value, spark_type)
    return _CHANGES[transform.type](transform, value)
