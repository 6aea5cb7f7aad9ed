"""Transforms of tables.yaml: parameters and their checks; what one does in Spark is in `fluvial.transforms.apply`."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Transform(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    masks: ClassVar[bool] = False
    """Whether the raw value is a secret that may not be written anywhere."""

    id: Annotated[str, Field(min_length=1, max_length=128)] = ""
    column: str
    order: int = 0


class TrimTransform(_Transform):
    """Removes spaces at both ends."""

    type: Literal["trim"]
    params: _Params = _Params()


class LowerTransform(_Transform):
    """Lower case."""

    type: Literal["lower"]
    params: _Params = _Params()


class UpperTransform(_Transform):
    """Upper case."""

    type: Literal["upper"]
    params: _Params = _Params()


class RoundParams(_Params):
    """Digits after the point."""

    decimals: Annotated[int, Field(ge=0, le=18)]


class RoundTransform(_Transform):
    """Rounds half up to `decimals` digits; the type stays."""

    type: Literal["round"]
    params: RoundParams


class MaskPiiParams(_Params):
    """How many characters at the end stay readable."""

    visible_chars: Annotated[int, Field(ge=0, le=16)] = 4


class MaskPiiTransform(_Transform):
    """Replaces all but the last `visible_chars` characters by `*`; a display aid, not de-identification."""

    masks: ClassVar[bool] = True

    type: Literal["mask_pii"]
    params: MaskPiiParams = MaskPiiParams()


Transform = Annotated[
    TrimTransform | LowerTransform | UpperTransform | RoundTransform | MaskPiiTransform, Field(discriminator="type")
]
