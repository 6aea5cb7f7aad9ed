"""Transforms that make a column, or a decision, out of several columns of the row."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from fluvial.config.base import Params
from fluvial.config.codes import Code
from fluvial.config.expression_error import ExpressionError
from fluvial.config.fields import ColumnName, TypeName
from fluvial.config.findings import Finding, did_you_mean
from fluvial.config.lake_shape import LakeColumn, LakeShape, find_column
from fluvial.config.transform_base import BaseTransform
from fluvial.config.types import Family, family, is_numeric

if TYPE_CHECKING:
    from fluvial.config.expressions import Term

Expression = Annotated[str, Field(min_length=1, examples=["{{ price + tax }}"])]
"""Text with `{{ … }}`, in a small part of Jinja2's syntax."""


def term_of(text: str, shape: LakeShape) -> "Term":
    """The expression over the columns at that point, tokens and ciphertexts apart; raises ExpressionError."""
    from fluvial.config.expressions import read_expression  # noqa: PLC0415 - a table without one needs no parser

    readable = ((name, found.type) for name, found in shape.items() if found.type and not found.is_opaque)
    return read_expression(text, tuple(readable))


def expression_findings(text: str, shape: LakeShape, wanted: frozenset[Family]) -> Iterator[Finding]:
    """What is wrong with an expression that has to give one of these kinds; paths start at the transform."""
    path = ("params", "expression")
    try:
        kind = term_of(text, shape).kind
    except ExpressionError as error:
        message = f"at character {error.position}: {error.message}"
        hint = error.hint or "see docs/reference/expressions.md"
        yield Finding(path, Code.WRONG_EXPRESSION, message, hint, position=error.position)
    else:
        if kind is not None and kind not in wanted:
            message = f"the expression gives a {kind}"
            hint = f"make it one that gives a {' or '.join(sorted(wanted))}"
            yield Finding(path, Code.WRONG_EXPRESSION, message, hint)


def columns_of(text: str, shape: LakeShape) -> frozenset[str]:
    """The columns that an expression reads; none where it can't be read."""
    try:
        return term_of(text, shape).columns
    except ExpressionError:
        return frozenset()  # told elsewhere, with its place


def sources_of(names: frozenset[str], shape: LakeShape) -> frozenset[str]:
    """Columns of the source that these are made from."""
    return frozenset[str]().union(*(shape[name].sources for name in names if name in shape))


class DerivationParams(Params):
    """What says the type of a column that is made."""

    to_type: TypeName | None = None
    """The column's type; that of the column it replaces unless given."""


class Derivation(BaseTransform):
    """Makes a column, new or in place of an old one."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    creates: ClassVar[bool] = True

    column: ColumnName
    """The column that is changed, by the name it has then; never one of the primary key. Some make a new one."""

    params: DerivationParams
    """How it is made."""

    def made_type(self, shape: LakeShape) -> str:
        """The type that the column gets: as said, else as it was; empty where nothing says it."""
        return self.params.to_type or (shape[self.column].type if self.column in shape else "")

    def check_target(self, shape: LakeShape) -> Iterator[Finding]:
        """A new column has a type and a name of its own."""
        known = find_column(shape, self.column)
        if known not in {None, self.column}:
            message = f"'{self.column}' differs from column '{known}' in case only"
            yield Finding(("column",), Code.TARGET_EXISTS, message, f"write '{known}', or choose another name")
        elif known is None and not self.made_type(shape):
            message = f"'{self.column}' is a new column, and its type isn't said"
            yield Finding(("params",), Code.MISSING_TYPE, message, "add `to_type: string`, or another type")

    def reshape(self, shape: LakeShape) -> LakeShape:
        """With the column, at its old place or at the end."""
        made = LakeColumn(self.made_type(shape), sources_of(self.inputs(shape), shape))
        return {**shape, self.column: made}


class MapParams(DerivationParams):
    """What the column becomes."""

    expression: Expression
    """Over the columns of the row as they are when the transform runs."""


class MapTransform(Derivation):
    """Sets a column to the value of an expression; what doesn't fit the type quarantines the event.

    Null makes null, and so does a division by zero. No mask: the columns that go into it are quarantined as they are.
    """

    type: Literal["map"]
    params: Annotated[MapParams, Field(examples=[{"expression": "{{ price + tax }}"}])]
    """The expression."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """An expression that the whitelist allows, of a kind that the type holds."""
        yield from self.check_target(shape)
        if made := self.made_type(shape):
            wanted = frozenset(Family) if family(made) is Family.TEXT else frozenset({family(made)})
            yield from expression_findings(self.params.expression, shape, wanted)

    def inputs(self, shape: LakeShape) -> frozenset[str]:
        """What the expression reads."""
        return columns_of(self.params.expression, shape)

    @property
    def summary(self) -> str:
        """With the expression."""
        return f"map {self.params.expression}"


class AggregateParams(DerivationParams):
    """A figure over several columns of the row."""

    function: Literal["sum", "avg", "min", "max", "count"]
    """Which; null is passed over, and `count` counts what isn't null."""

    fields: Annotated[tuple[str, ...], Field(min_length=1, examples=[["net", "tax"]])]
    """The columns that go in."""


def _is_number(column: LakeColumn) -> bool:
    return not column.type or is_numeric(column.type)


class AggregateTransform(Derivation):
    """Sets a column to the sum, average, minimum, maximum or count of several columns of the same row."""

    type: Literal["aggregate"]
    params: Annotated[AggregateParams, Field(examples=[{"function": "sum", "fields": ["net", "tax"]}])]
    """The figure."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """Columns that there are, and of numbers where they are added up."""
        yield from self.check_target(shape)
        for position, name in enumerate(self.params.fields):
            path = ("params", "fields", position)
            if name not in shape:
                yield Finding(path, Code.UNKNOWN_COLUMN, f"no column '{name}' by then", did_you_mean(name, shape))
            elif shape[name].is_opaque or (self.params.function != "count" and not _is_number(shape[name])):
                message = f"'{self.params.function}' needs numbers; '{name}' is {shape[name].type}"
                yield Finding(path, Code.TRANSFORM_MISFITS_TYPE, message, "take the column out, or cast it before")
        made = self.made_type(shape)
        if made and not is_numeric(made):
            message = f"a figure isn't a {made}"
            yield Finding(("params",), Code.WRONG_CAST, message, "give a number as `to_type`")

    def inputs(self, shape: LakeShape) -> frozenset[str]:
        """The fields."""
        return frozenset(self.params.fields)

    @property
    def summary(self) -> str:
        """With function and fields."""
        return f"{self.params.function} of {', '.join(self.params.fields)}"
