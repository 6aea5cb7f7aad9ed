"""Transforms that hide what names a person: parameters and checks; what they do is in `fluvial.transforms.hide`."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from fluvial.config.base import Params
from fluvial.config.codes import Code
from fluvial.config.findings import Finding
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.transform_base import BaseTransform
from fluvial.config.types import INTEGER_TYPES, Family, family

_REFERENCE: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|aws:[A-Za-z0-9/_+=.@-]{1,512}")


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        # It may be the secret itself: a message must not repeat it.
        raise PydanticCustomError("wrong_reference", "not a reference to a secret")
    return text


SecretReference = Annotated[str, AfterValidator(_reference), Field(examples=["env:EMAIL_KEY"])]
"""Where a secret lies: `env:NAME`, a variable of the job's environment, or `aws:NAME` in AWS Secrets Manager."""


class KeyParams(Params):
    """The secret that the result depends on."""

    key: SecretReference
    """Where it lies, never the secret itself: `env:NAME` or `aws:NAME`. At least 32 characters of it."""

    domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""
    """Columns of one domain and key can be joined; others can't be linked. The column's own name unless given."""


class _KeyedTransform(BaseTransform):
    """Becomes a text that only the key explains; equal values become equal texts."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family) - {Family.BYTES}
    masks: ClassVar[bool] = True

    params: Annotated[KeyParams, Field(examples=[{"key": "env:EMAIL_KEY"}])]
    """The key."""

    @property
    def domain(self) -> str:
        """What separates its keys from those of other columns."""
        return self.params.domain or self.column

    def reshape(self, shape: LakeShape) -> LakeShape:
        """The column becomes a text that says nothing."""
        return {**shape, self.column: LakeColumn("string", shape[self.column].sources, is_opaque=True)}


class TokenizeTransform(_KeyedTransform):
    """A keyed fingerprint (HMAC-SHA-256) in place of the value: equal values stay equal, and nobody gets back."""

    type: Literal["tokenize"]


class EncryptTransform(_KeyedTransform):
    """The value under AES-256-GCM: whoever holds the key gets it back. Equal values stay recognisable as equal."""

    type: Literal["encrypt"]


class GeneralizeParams(Params):
    """How coarse it gets; exactly one of the three."""

    to: Literal["year", "month"] | None = None
    """For dates and timestamps: the first moment of it."""

    band: Annotated[float | int, Field(gt=0, le=10**9)] | None = None
    """For numbers: the width of a band; the value becomes the band's lower end."""

    prefix: Annotated[int, Field(ge=1, le=64)] | None = None
    """For texts: how many characters at the front stay."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.to, self.band, self.prefix)) != 1:
            raise PydanticCustomError("not_one", "generalize needs one of to, band and prefix")
        return self


_NEEDED = {Family.TIME: "to", Family.NUMBER: "band", Family.TEXT: "prefix"}


class GeneralizeTransform(BaseTransform):
    """Makes a value coarser, so that it fits many: a birth date its year, an age its band, a postcode its prefix."""

    accepts: ClassVar[frozenset[Family]] = frozenset({Family.TEXT, Family.NUMBER, Family.TIME})
    masks: ClassVar[bool] = True

    type: Literal["generalize"]
    params: Annotated[GeneralizeParams, Field(examples=[{"to": "year"}])]
    """How coarse."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """The parameter that the column's type needs, and no fraction for whole numbers."""
        found = shape[self.column].type
        if not found:
            return
        (given, value), needed = next(iter(self.params.model_dump(exclude_none=True).items())), _NEEDED[family(found)]
        if given != needed:
            message = f"'{given}' can't generalize a {found} column"
            yield Finding(("params", given), Code.WRONG_GENERALIZATION, message, f"write '{needed}'", needed, given)
        elif found in INTEGER_TYPES and float(value) % 1:
            message = f"a band of {value} isn't a whole number, and '{self.column}' is {found}"
            yield Finding(("params", given), Code.WRONG_GENERALIZATION, message, "give a whole number")


class DropTransform(BaseTransform):
    """Leaves the column out of log and history, and hides it in the quarantine; rules judge it before."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    masks: ClassVar[bool] = True

    type: Literal["drop"]
    params: Params = Params()

    def reshape(self, shape: LakeShape) -> LakeShape:
        """Without the column."""
        return {name: found for name, found in shape.items() if name != self.column}
