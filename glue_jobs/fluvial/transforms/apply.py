"""`apply_transforms`: folds the configured transforms over events, and says where one fails."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.deidentification import DropTransform, EncryptTransform, TokenizeTransform
from fluvial.config.derivations import (
    AggregateTransform,
    MapTransform,
    sources_of,
    term_of,
)
from fluvial.config.join import JoinTransform
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.model import Table
from fluvial.config.row_filter import FilterTransform
from fluvial.config.transforms import CastTransform, DefaultValueTransform, RenameTransform, Transform
from fluvial.config.types import Family
from fluvial.config.values import as_text
from fluvial.streams import HAS_ERROR, IMAGE, TransformFailure
from fluvial.transforms.aggregates import AGGREGATES, look_up
from fluvial.transforms.authorship import lacks
from fluvial.transforms.change import change_column
from fluvial.transforms.change_type import as_number, change_type, fit
from fluvial.transforms.expressions import compile_term
from fluvial.transforms.hide import STORED_TEXT
from fluvial.transforms.overflow import may_sum_overflow, overflow

CAST_RULE: Final = "transform.cast"
"""Names the violation of a value that can't be cast."""

MAP_RULE: Final = "transform.map"
"""Names the violation of a derived value that its column's type can't hold."""

FILTER_RULE: Final = "transform.filter"
"""Names the violation of a row for which nobody can say whether it is kept."""

_LEAVES: Final = "_leaves"
_Derivation = MapTransform | AggregateTransform | JoinTransform


@dataclass(frozen=True)
class Transformed:
    """Events with the working columns of their transforms, and over those the columns of the lake, in its order.

    `kept` holds what the filters ask, `working` names the working columns, `changed` the columns of the lake that are
    more than a name so far.
    """

    events: DataFrame
    columns: Mapping[str, Column]
    failures: tuple[TransformFailure, ...] = ()
    kept: tuple[Column, ...] = ()
    changed: frozenset[str] = frozenset()
    working: tuple[str, ...] = ()

    def put(self, name: str, changed: Column) -> "Transformed":
        """With that column, at its old place or at the end."""
        return replace(self, columns={**self.columns, name: changed}, changed=self.changed | {name})


def apply_transforms(events: DataFrame, table: Table) -> Transformed:
    """What the table's transforms make of events, and which of them fail where."""
    return _fold(events, table)


def apply_transforms_again(events: DataFrame, table: Table, repaired: Column) -> Transformed:
    """The same for quarantined events; a stored token or ciphertext stays, unless its column is `repaired`."""
    return _fold(events, table, repaired)


def try_transforms(events: DataFrame, table: Table) -> Transformed:
    """As `apply_transforms`, for the sake of what fails; events as they are where nothing can."""
    may_fail = any(isinstance(step, CastTransform | FilterTransform | _Derivation) for step in table.transforms)
    return _fold(events, table, hides=False) if may_fail else Transformed(events, {})


def filter_rows(events: DataFrame, table: Table) -> DataFrame:
    """Events whose row the table's filters don't keep become deletes: for the history, the row has left.

    One that breaks a rule stays what it is, and so does one that says nothing of what a filter asks.
    """
    if not any(isinstance(step, FilterTransform) for step in table.transforms):
        return events
    transformed = _fold(events, table, hides=False)
    judged = F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ) & ~F.col(HAS_ERROR)
    marked = transformed.events.withColumn(_LEAVES, judged & ~reduce(operator.and_, transformed.kept))
    nothing = dict.fromkeys((*table.value_columns, c.NOT_AUTHORED), F.lit(None)) | {c.OPERATION: F.lit(c.DELETE)}
    return marked.select(*(_unless_left(name, kind, nothing) for name, kind in events.dtypes))


def _unless_left(name: str, kind: str, nothing: Mapping[str, Column]) -> Column:
    if name not in nothing:
        return F.col(name)
    return F.when(F.col(_LEAVES), nothing[name].cast(kind)).otherwise(F.col(name)).alias(name)


def _fold(events: DataFrame, table: Table, repaired: Column | None = None, *, hides: bool = True) -> Transformed:
    """`hides` is false where only what fails, or is kept, is asked: the keys aren't at hand there."""
    after = Transformed(events, {column.name: F.col(column.name) for column in table.columns})
    for transform, shape in table.shapes():
        before = _by_name(after, transform, shape)
        if isinstance(transform, TokenizeTransform | EncryptTransform) and not hides:
            after = before.put(transform.column, before.columns[transform.column].cast("string"))
            continue
        after = _step(before, transform, shape)
        hidden = transform.reshape(shape).get(transform.column)
        if repaired is not None and transform.column in shape and hidden is not None and hidden.is_opaque:
            after = after.put(transform.column, _as_stored(after.columns[transform.column], hidden, repaired))
    return after


def _by_name(before: Transformed, transform: Transform, shape: LakeShape) -> Transformed:
    """What is changed so far as working columns, if the transform goes on from there.

    A transform mentions its input several times: written into one another, a few of them are a plan without end.
    """
    if not transform.inputs(shape) & before.changed:
        return before
    names = {name: f"_changed_{len(before.working)}_{name}" for name in sorted(before.changed)}
    events = before.events.select("*", *(before.columns[name].alias(working) for name, working in names.items()))
    columns = {name: F.col(names[name]) if name in names else so_far for name, so_far in before.columns.items()}
    working = (*before.working, *names.values())
    return replace(before, events=events, columns=columns, changed=frozenset(), working=working)


def _as_stored(changed: Column, column: LakeColumn, repaired: Column) -> Column:
    """Hiding twice isn't hiding once: what the quarantine holds was hidden when it was stored."""
    for name in sorted(column.sources):
        stored = F.col(IMAGE)[name]
        changed = F.when(stored.rlike(STORED_TEXT) & ~F.array_contains(repaired, name), stored).otherwise(changed)
    return changed


def _step(before: Transformed, transform: Transform, shape: LakeShape) -> Transformed:
    """One transform; a column keeps the type that the shape says, whatever Spark would make of it."""
    name = transform.column
    match transform:
        case MapTransform() | AggregateTransform() | JoinTransform():
            return _derived(before, transform, shape)
        case FilterTransform():
            return _filtered(before, transform, shape)
        case RenameTransform(params=to):
            return _renamed(before, name, to.new_name)
        case DropTransform():
            return _renamed(before, name, None)
        case CastTransform():
            return _cast(before, transform, shape[name])
        case DefaultValueTransform():
            return before.put(name, _with_default(before.columns[name], transform, shape[name]))
        case _:
            changed = change_column(transform, before.columns[name], shape[name].type)
            return before.put(name, changed.cast(transform.reshape(shape)[name].type))


def _renamed(before: Transformed, name: str, new_name: str | None) -> Transformed:
    """Under the new name, or not at all."""
    names = {known: new_name if known == name else known for known in before.columns}
    columns = {new: before.columns[known] for known, new in names.items() if new}
    changed = (names[known] for known in before.changed)
    return replace(before, columns=columns, changed=frozenset(new for new in changed if new))


def _cast(before: Transformed, transform: CastTransform, column: LakeColumn) -> Transformed:
    value, to_type = before.columns[transform.column], transform.params.to_type
    cast = change_type(value, column.type, to_type)
    fails = value.isNotNull() & cast.isNull()
    failures = (
        TransformFailure(CAST_RULE, name, f"{name} can't be cast to {to_type}", fails)
        for name in sorted(column.sources)
    )
    return replace(before.put(transform.column, cast), failures=(*before.failures, *failures))


def _with_default(value: Column, transform: DefaultValueTransform, column: LakeColumn) -> Column:
    is_upsert = F.col(c.OPERATION).isin(c.INSERT, c.UPDATE, c.READ)
    default = F.lit(as_text(transform.params.value)).cast(column.type)
    return F.when(value.isNull() & is_upsert & ~lacks(column.sources), default).otherwise(value)


def _derived(before: Transformed, transform: _Derivation, shape: LakeShape) -> Transformed:
    """A column made from others; a value that the type can't hold is a failure of the first of them."""
    made = transform.reshape(shape)[transform.column]
    lost: Column | None = None
    match transform:
        case MapTransform(params=params):
            term = term_of(params.expression, shape)
            value = compile_term(term, before.columns, shape)
            cast = fit(value, made.type, is_text=term.kind is Family.TEXT)
            lost = overflow(term, before.columns, shape)
        case AggregateTransform(params=params):
            fields = [as_number(before.columns[name], shape[name].type) for name in params.fields]
            value = AGGREGATES[params.function](fields)
            cast = fit(value, made.type, is_text=False)
            if params.function in {"sum", "avg"} and may_sum_overflow(shape[name].type for name in params.fields):
                lost = value.isNull() & F.coalesce(*fields).isNotNull()
        case JoinTransform(params=params):
            value = look_up(params.rows, before.columns[params.on])
            cast = change_type(value, "string", made.type)
    message = f"{transform.column} can't hold what '{transform.type}' makes as {made.type}"
    told = ~lacks(made.sources) if made.sources else F.lit(True)
    is_too_large = value.isNotNull() & cast.isNull()
    failed = told & (is_too_large if lost is None else is_too_large | lost)
    failures = (TransformFailure(MAP_RULE, name, message, failed) for name in sorted(made.sources)[:1])
    return replace(before.put(transform.column, cast), failures=(*before.failures, *failures))


def _filtered(before: Transformed, transform: FilterTransform, shape: LakeShape) -> Transformed:
    term = term_of(transform.params.expression, shape)
    lost, sources = overflow(term, before.columns, shape), sources_of(term.columns, shape)
    after = replace(before, kept=(*before.kept, _is_kept(before, transform, shape)))
    if lost is None or not sources:
        return after
    failure = TransformFailure(FILTER_RULE, min(sources), "'filter' runs out of 38 digits", lost & ~lacks(sources))
    return replace(after, failures=(*after.failures, failure))


def _is_kept(before: Transformed, transform: FilterTransform, shape: LakeShape) -> Column:
    term = term_of(transform.params.expression, shape)
    true = F.coalesce(compile_term(term, before.columns, shape), F.lit(False))
    return true | lacks(sources_of(term.columns, shape)) if term.columns else true
