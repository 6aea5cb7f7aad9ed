"""What each transform does in Spark, and `apply_transforms`, which folds the configured ones over the columns."""

from collections.abc import Callable
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.config.transforms import MaskPiiTransform, RoundTransform, Transform

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


def apply_round(transform: RoundTransform, value: Column) -> Column:
    """Half up to the configured digits."""
    return F.round(value, transform.params.decimals)


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
    "round": apply_round,
    "mask_pii": apply_mask_pii,
}


def apply_transforms(table: Table) -> dict[str, Column]:
    """Every business column after its transforms, in the configured types."""
    return _fold(table, table.ordered_transforms, {name: F.col(name) for name in table.column_names})


def apply_masks(table: Table) -> dict[str, Column]:
    """Every business column with its masking transforms only: what a quarantined row may show."""
    masks = tuple(transform for transform in table.ordered_transforms if transform.masks)
    return _fold(table, masks, {name: F.col(name) for name in table.column_names})


def mask_texts(table: Table, image: Column) -> Column:
    """A map of raw texts with the masked columns masked."""
    masks = [transform for transform in table.ordered_transforms if transform.masks]
    if not masks:
        return image

    def masked(name: Column, text: Column) -> Column:
        changed = text
        for mask in masks:
            changed = F.when(name == mask.column, _CHANGES[mask.type](mask, text)).otherwise(changed)
        return changed

    return F.transform_values(image, masked)


def _fold(table: Table, transforms: tuple[Transform, ...], columns: dict[str, Column]) -> dict[str, Column]:
    types = {column.name: column.type for column in table.columns}
    for transform in transforms:
        changed = _CHANGES[transform.type](transform, columns[transform.column])
        columns[transform.column] = changed.cast(types[transform.column])
    return columns
