"""The transform that chooses rows."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fluvial.config.base import Params
from fluvial.config.derivations import Expression, columns_of, expression_findings
from fluvial.config.findings import Finding
from fluvial.config.lake_shape import LakeShape
from fluvial.config.transform_base import BaseTransform
from fluvial.config.types import Family


class FilterParams(Params):
    """Which rows the table keeps."""

    expression: Expression
    """True for a row that is kept; a null isn't true."""


class FilterTransform(BaseTransform):
    """Keeps the rows for which an expression is true; an event whose row isn't kept counts as the row's deletion.

    So a row that stops to match leaves the history, and comes back when it matches again, in any order of arrival.
    """

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    on_row: ClassVar[bool] = True

    column: str = ""
    """Nothing: the expression names what it reads."""

    type: Literal["filter"]
    params: Annotated[FilterParams, Field(examples=[{"expression": "{{ country == 'DE' }}"}])]
    """The condition."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """An expression that is true or false."""
        yield from expression_findings(self.params.expression, shape, frozenset({Family.BOOLEAN}))

    def inputs(self, shape: LakeShape) -> frozenset[str]:
        """What the expression reads."""
        return columns_of(self.params.expression, shape)

    @property
    def summary(self) -> str:
        """With the condition."""
        return f"filter {self.params.expression}"
