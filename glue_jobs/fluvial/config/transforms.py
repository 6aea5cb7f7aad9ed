"""Transforms of tables.yaml: parameters and their checks; what one does in Spark is in `fluvial.transforms.apply`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fluvial.config.base import PRINTABLE, Params, WithParams
from fluvial.config.types import Family


class _Transform(WithParams):
    accepts: ClassVar[frozenset[Family]] = frozenset({Family.TEXT})
    """The families of column types that the transform can change."""

    masks: ClassVar[bool] = False
    """Whether the raw value is a secret that may not be written anywhere."""

    id: Annotated[str, Field(pattern=PRINTABLE, min_length=1, max_length=128)] = ""
    """Names the transform; one of its kind in the table."""

    column: str
    """The column that is changed; never one of the primary key."""

    order: int = 0
    """Transforms run by rising order, equal ones as written."""


class TrimTransform(_Transform):
    """Removes spaces at both ends."""

    type: Literal["trim"]
    params: Params = Params()


class LowerTransform(_Transform):
    """Lower case."""

    type: Literal["lower"]
    params: Params = Params()


class UpperTransform(_Transform):
    """Upper case."""

    type: Literal["upper"]
    params: Params = Params()


class RoundParams(Params):
    """Digits after the point."""

    decimals: Annotated[int, Field(ge=0, le=18)]
    """How many stay."""


class RoundTransform(_Transform):
    """Rounds half up to `decimals` digits; the type stays."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.NUMBER})

    type: Literal["round"]
    params: Annotated[RoundParams, Field(examples=[{"decimals": 2}])]
    """The digits."""


class MaskPiiParams(Params):
    """How many characters at the end stay readable."""

    visible_chars: Annotated[int, Field(ge=0, le=16)] = 4
    """A value no longer than this is hidden whole."""


class MaskPiiTransform(_Transform):
    """Replaces all but the last `visible_chars` characters by `*`; a display aid, not de-identification."""

    masks: ClassVar[bool] = True

    type: Literal["mask_pii"]
    params: MaskPiiParams = MaskPiiParams()


Transform = Annotated[
    TrimTransform | LowerTransform | UpperTransform | RoundTransform | MaskPiiTransform, Field(discriminator="type")
]
