"""What each transform does in Spark, and `apply_transforms`, which folds the configured ones over events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.extensions import UserTransform
from fluvial.config.lake_shape import LakeShape
from fluvial.config.model import Table
from fluvial.config.transforms import (
    CastTransform,
    DefaultValueTransform,
    MaskPiiTransform,
    RenameTransform,
    RoundTransform,
    Transform,
)
from fluvial.streams import TransformFailure
from fluvial.transforms.change_type import change_type, text_of

CAST_RULE: Final = "transform.cast"
"""Names the violation of a value that can't be cast."""

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


def _changed(transform: Transform, value: Column) -> Column:
    if isinstance(transform, UserTransform):
        changed: Column = transform.change(value)
        return changed
    return _CHANGES[transform.type](transform, value)


@dataclass(frozen=True)
class Transformed:
    """Events with the working columns of their transforms, and over those the columns of the lake, in its order.

    `working` names the working columns, `changed` the columns of the lake that are more than a name so far.
    """

    events: DataFrame
    columns: Mapping[str, Column]
    failures: tuple[TransformFailure, ...] = ()
    changed: frozenset[str] = frozenset()
    working: tuple[str, ...] = ()


def apply_transforms(events: DataFrame, table: Table) -> Transformed:
    """What the table's transforms make of events, and which of them fail where."""
    transformed = Transformed(events, {column.name: F.col(column.name) for column in table.columns})
    for transform, shape in table.shapes():
        transformed = _step(_by_name(transformed, transform), transform, shape)
    return transformed


def try_transforms(events: DataFrame, table: Table) -> Transformed:
    """As `apply_transforms`, for the sake of what fails; events as they are where nothing can."""
    if not any(step.type == "cast" for step in table.transforms):
        return Transformed(events, {})
    return apply_transforms(events, table)


def lake_not_authored(table: Table) -> Column:
    """Columns of the lake of which an event says nothing: it says nothing of something that they are made from."""
    told = {name: found.sources for name, found in table.lake_shape.items()}
    if all(sources == {name} for name, sources in told.items()) and len(told) == len(table.columns):
        return F.col(c.NOT_AUTHORED)
    names = F.array_compact(F.array(*(F.when(_lacks(sources), F.lit(name)) for name, sources in told.items())))
    return F.when(F.col(c.NOT_AUTHORED).isNotNull() & (F.size(names) > 0), names)


def _lacks(sources: Iterable[str]) -> Column:
    """Whether an event says nothing of one of these columns."""
    listed = F.array(*map(F.lit, sorted(sources)))
    return F.coalesce(F.arrays_overlap(F.col(c.NOT_AUTHORED), listed), F.lit(False))


def apply_masks(table: Table) -> dict[str, Column]:
    """Every column of the source with its masking transforms only: what a quarantined row may show."""
    columns = {column.name: F.col(column.name) for column in table.columns}
    for transform, shape in table.shapes():
        for name in shape[transform.column].sources if transform.masks else ():
            columns[name] = _changed(transform, columns[name].cast("string"))
    # What a mask made of a number or a date isn't one any longer: its text is in the after-image.
    return {column.name: columns[column.name].cast(column.type) for column in table.columns}


def mask_texts(table: Table, image: Column) -> Column:
    """A map of raw texts with the masked columns masked."""
    masks = [(step, shape[step.column].sources) for step, shape in table.shapes() if step.masks]
    if not masks:
        return image

    def masked(name: Column, text: Column) -> Column:
        changed = text
        for mask, sources in masks:
            changed = F.when(name.isin(*sources), _changed(mask, text)).otherwise(changed)
        return changed

    return F.transform_values(image, masked)


def _by_name(before: Transformed, transform: Transform) -> Transformed:
    """What is changed so far as working columns, if the transform goes on from there.

    A transform mentions its input several times: written into one another, a few of them are a plan without end.
    """
    if transform.column not in before.changed:
        return before
    names = {name: f"_changed_{len(before.working)}_{name}" for name in sorted(before.changed)}
    events = before.events.select("*", *(before.columns[name].alias(working) for name, working in names.items()))
    columns = {name: F.col(names[name]) if name in names else so_far for name, so_far in before.columns.items()}
    return Transformed(events, columns, before.failures, frozenset(), (*before.working, *names.values()))


def _step(before: Transformed, transform: Transform, shape: LakeShape) -> Transformed:
    """One transform; a column keeps the type that the shape says, whatever Spark would make of it."""
    column, value = shape[transform.column], before.columns[transform.column]
    match transform:
        case RenameTransform(params=to):
            return _renamed(before, transform.column, to.new_name)
        case CastTransform(params=to):
            cast = change_type(value, column.type, to.to_type)
            failures = (_failure(transform, name, value.isNotNull() & cast.isNull()) for name in sorted(column.sources))
            before = replace(before, failures=(*before.failures, *failures))
            changed = cast
        case DefaultValueTransform(params=default):
            missing = value.isNull() & F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ) & ~_lacks(column.sources)
            changed = F.when(missing, F.lit(text_of(default.value)).cast(column.type)).otherwise(value)
        case _:
            changed = _changed(transform, value).cast(transform.reshape(shape)[transform.column].type)
    columns = {**before.columns, transform.column: changed}
    return replace(before, columns=columns, changed=before.changed | {transform.column})


def _renamed(before: Transformed, name: str, new_name: str) -> Transformed:
    columns = {new_name if known == name else known: so_far for known, so_far in before.columns.items()}
    return replace(
        before, columns=columns, changed=frozenset(new_name if each == name else each for each in before.changed)
    )


def _failure(transform: CastTransform, name: str, holds: Column) -> TransformFailure:
    return TransformFailure(CAST_RULE, name, f"{name} can't be cast to {transform.params.to_type}", holds)
