"""Transforms of tables.yaml: parameters and their checks; what one does in Spark is in `fluvial.transforms.apply`."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Field

from fluvial.config.base import Params
from fluvial.config.codes import Code
from fluvial.config.deidentification import (
    DropTransform,
    EncryptTransform,
    GeneralizeTransform,
    TokenizeTransform,
)
from fluvial.config.derivations import AggregateTransform, MapTransform
from fluvial.config.fields import ColumnName, TypeName
from fluvial.config.findings import Finding, describe
from fluvial.config.join import JoinTransform
from fluvial.config.lake_shape import LakeColumn, LakeShape, find_column
from fluvial.config.row_filter import FilterTransform
from fluvial.config.transform_base import BaseTransform
from fluvial.config.types import Family, family
from fluvial.config.values import misfit_exactly


class TrimTransform(BaseTransform):
    """Removes spaces at both ends."""

    type: Literal["trim"]
    params: Params = Params()


class LowerTransform(BaseTransform):
    """Lower case."""

    type: Literal["lower"]
    params: Params = Params()


class UpperTransform(BaseTransform):
    """Upper case."""

    type: Literal["upper"]
    params: Params = Params()


class RoundParams(Params):
    """Digits after the point."""

    decimals: Annotated[int, Field(ge=0, le=18)]
    """How many stay."""


class RoundTransform(BaseTransform):
    """Rounds half up to `decimals` digits; the type stays."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.NUMBER})

    type: Literal["round"]
    params: Annotated[RoundParams, Field(examples=[{"decimals": 2}])]
    """The digits."""


class MaskPiiParams(Params):
    """How many characters at the end stay readable."""

    visible_chars: Annotated[int, Field(ge=0, le=16)] = 4
    """A value no longer than this is hidden whole."""


class MaskPiiTransform(BaseTransform):
    """Replaces all but the last `visible_chars` characters by `*`; a display aid, not de-identification."""

    masks: ClassVar[bool] = True

    type: Literal["mask_pii"]
    params: MaskPiiParams = MaskPiiParams()


_CASTS: Final = {
    Family.TEXT: frozenset(Family) - {Family.BYTES},
    Family.NUMBER: frozenset({Family.NUMBER, Family.TEXT}),
    Family.TIME: frozenset({Family.TIME, Family.TEXT}),
    Family.BOOLEAN: frozenset({Family.BOOLEAN, Family.TEXT}),
    Family.BYTES: frozenset({Family.BYTES}),
}


class CastParams(Params):
    """The type that the column gets."""

    to_type: Annotated[TypeName, Field(examples=["bigint"])]
    """As below `schema`: string, int, bigint, decimal(p,s), double, boolean, date, timestamp."""


class CastTransform(BaseTransform):
    """Gives the column another type in log and history.

    A value that the type can't hold breaks `transform.cast`, and the event is quarantined: a fraction or too large a
    number for an integer, a text that isn't one. Round first where digits may go.
    """

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    key_fault: ClassVar[str] = "would part its rows from those of the quarantine"

    type: Literal["cast"]
    params: Annotated[CastParams, Field(examples=[{"to_type": "bigint"}])]
    """The type."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """A type that values of the column can become."""
        found, wanted = shape[self.column].type, self.params.to_type
        if shape[self.column].is_opaque:
            message = f"'{self.column}' is a token or a ciphertext by then, which has no other type"
            yield Finding(("params", "to_type"), Code.WRONG_CAST, message, "cast before it is hidden, or not at all")
        elif found and family(wanted) not in _CASTS[family(found)]:
            known = ", ".join(sorted(_CASTS[family(found)]))
            message = f"{found} can't become {wanted}"
            yield Finding(("params", "to_type"), Code.WRONG_CAST, message, f"a {family(found)} can become: {known}")

    def reshape(self, shape: LakeShape) -> LakeShape:
        """The column's type changes."""
        return {**shape, self.column: LakeColumn(self.params.to_type, shape[self.column].sources)}

    @property
    def summary(self) -> str:
        """With the type."""
        return f"cast to {self.params.to_type}"


class DefaultValueParams(Params):
    """What stands for a missing value."""

    value: Annotated[str | int | float | bool, Field(examples=["unknown"])]
    """Of the column's type."""


class DefaultValueTransform(BaseTransform):
    """Puts `value` where an event says that the column is null.

    Rules have judged the null already. A column of which the event says nothing keeps what it was.
    """

    accepts: ClassVar[frozenset[Family]] = frozenset(Family) - {Family.BYTES}

    type: Literal["default_value"]
    params: Annotated[DefaultValueParams, Field(examples=[{"value": "unknown"}])]
    """The value."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """A value that the column can hold."""
        found, value = shape[self.column].type, self.params.value
        if found and (reason := misfit_exactly(value, found)):
            message = f"{describe(value)} {reason}, so a {found} column can't hold it"
            yield Finding(("params", "value"), Code.WRONG_DEFAULT, message, f"give a {family(found)} value")


class RenameParams(Params):
    """The name that the column gets."""

    new_name: Annotated[ColumnName, Field(examples=["e_mail"])]
    """A letter first, then letters, digits and underscores."""


class RenameTransform(BaseTransform):
    """Gives the column another name in log and history; rules, metrics and the quarantine keep the source's."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    key_fault: ClassVar[str] = "would part its rows from those of the quarantine"

    type: Literal["rename"]
    params: Annotated[RenameParams, Field(examples=[{"new_name": "e_mail"}])]
    """The name."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """A name that no other column has."""
        known = find_column(shape, self.params.new_name)
        if known is not None and known != self.column:
            message = f"'{self.params.new_name}' is the name of another column"
            yield Finding(
                ("params", "new_name"), Code.TARGET_EXISTS, message, "choose another name, or rename that first"
            )

    def reshape(self, shape: LakeShape) -> LakeShape:
        """The column keeps its place and gets the new name."""
        return {self.params.new_name if name == self.column else name: found for name, found in shape.items()}

    @property
    def summary(self) -> str:
        """With the name."""
        return f"rename to {self.params.new_name}"


BUILT_IN_TRANSFORMS: Final = (
    TrimTransform,
    LowerTransform,
    UpperTransform,
    RoundTransform,
    MaskPiiTransform,
    CastTransform,
    DefaultValueTransform,
    RenameTransform,
    TokenizeTransform,
    EncryptTransform,
    GeneralizeTransform,
    DropTransform,
    MapTransform,
    AggregateTransform,
    JoinTransform,
    FilterTransform,
)

if TYPE_CHECKING:
    Transform = BaseTransform
else:
    # What a use case registers joins them: see `fluvial.config.extended_model`.
    Transform = Annotated[reduce(or_, BUILT_IN_TRANSFORMS), Field(discriminator="type")]
