"""What is wrong with a table's transforms: each is held against the columns as they are when it runs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, did_you_mean, one_of
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.model import Table
from fluvial.config.transforms import Transform
from fluvial.config.types import family


def transform_findings(table: Table, untyped: frozenset[str], made: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Everything wrong with transforms and tracked columns.

    `untyped` columns have a type that can't be read; `made` ones come of transforms that are broken themselves.
    """
    columns = {
        column.name: LakeColumn("" if column.name in untyped else column.type, frozenset({column.name}))
        for column in table.columns
    }
    shape: LakeShape = _with_made(columns, made)
    positions = {id(step): position for position, step in enumerate(table.transforms)}
    for step in table.ordered_transforms:
        found = list(_step_findings(step, shape, table))
        yield from (finding.below("transforms", positions[id(step)]) for finding in found)
        shape = step.reshape(shape) if not found else _with_made(shape, {step.column} if step.creates else ())
    yield from _untracked(table, shape)


def _with_made(shape: LakeShape, made: Iterable[str]) -> LakeShape:
    """With columns of which nothing is known but that they would be there."""
    return {**dict.fromkeys(sorted(made), LakeColumn("", frozenset())), **shape}


def _step_findings(step: Transform, shape: LakeShape, table: Table) -> Iterator[Finding]:
    if step.on_row or (step.creates and step.column not in shape):
        yield from step.check(shape)
        return
    if step.column not in shape:
        yield _unknown_column(step.column, shape, table)
        return
    if shape[step.column].sources & set(table.primary_key):
        message = f"transform '{step.type}' on the primary-key column '{step.column}' {step.key_fault}"
        yield Finding(("column",), Code.TRANSFORM_ON_KEY, message, "transform another column, or remove it")
    spark_type = shape[step.column].type
    if spark_type and family(spark_type) not in step.accepts:
        wanted = " or ".join(sorted(step.accepts))
        message = f"transform '{step.type}' needs a {wanted} column; '{step.column}' is {spark_type}"
        hint = "choose another transform, or correct the column's type"
        yield Finding(("column",), Code.TRANSFORM_MISFITS_TYPE, message, hint, f"a {wanted} column", spark_type)
    else:
        yield from step.check(shape)


def _untracked(table: Table, shape: LakeShape) -> Iterator[Finding]:
    for position, name in enumerate(table.track_columns):
        if name not in shape:
            yield replace(_unknown_column(name, shape, table), path=("track_columns", position))


def _unknown_column(name: str, shape: LakeShape, table: Table) -> Finding:
    """A column that the table never had, or that a transform took or renamed."""
    now = next((known for known, found in shape.items() if found.sources == {name}), None)
    if name in table.column_names and now is not None:
        message = f"column '{name}' is called '{now}' by then"
        return Finding(("column",), Code.UNKNOWN_COLUMN, message, f"write '{now}'", f"'{now}'", f"'{name}'")
    message = f"column '{name}' isn't in the schema of table '{table.name}'"
    return Finding(("column",), Code.UNKNOWN_COLUMN, message, did_you_mean(name, shape), one_of(shape), f"'{name}'")
