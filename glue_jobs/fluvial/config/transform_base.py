"""What every transform of tables.yaml shares; what one does in Spark is in `fluvial.transforms`."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from fluvial.config.base import PRINTABLE, Params, WithParams
from fluvial.config.findings import Finding
from fluvial.config.lake_shape import LakeShape
from fluvial.config.types import Family


class BaseTransform(WithParams):
    """One change of a column, at its place among the others."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.TEXT})
    """The families of column types that the transform can change."""

    masks: ClassVar[bool] = False
    """Whether the raw value is a secret that may not be written anywhere."""

    creates: ClassVar[bool] = False
    """Whether `column` may be a new one."""

    on_row: ClassVar[bool] = False
    """Whether it concerns the whole row, and names no column."""

    key_fault: ClassVar[str] = "could make two rows one"
    """Why a column of the primary key may not be changed so."""

    id: Annotated[str, Field(pattern=PRINTABLE, min_length=1, max_length=128)] = ""
    """Names the transform; one of its kind in the table."""

    column: str
    """The column that is changed, by the name it has then; never one of the primary key. Some make a new one."""

    order: int = 0
    """Transforms run by rising order, equal ones as written."""

    type: str
    params: Params = Params()

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """What is wrong with the parameters, for columns of that shape; paths start at the transform."""
        yield from ()

    def reshape(self, shape: LakeShape) -> LakeShape:
        """The columns after it."""
        return shape

    def inputs(self, shape: LakeShape) -> frozenset[str]:
        """The columns that it reads, by the names they have then."""
        return frozenset({self.column})

    @property
    def summary(self) -> str:
        """What it does, in a word or two."""
        return self.type
