"""The transform that looks values up in a reference table."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from fluvial.config.codes import Code
from fluvial.config.derivations import Derivation, DerivationParams
from fluvial.config.fields import Identifier
from fluvial.config.findings import Finding, did_you_mean
from fluvial.config.lake_shape import LakeShape


class JoinParams(DerivationParams):
    """Which value of a reference table the column becomes."""

    table: Identifier
    """One of `reference_tables`."""

    on: str
    """The column of the row that holds the reference table's key; compared as text."""

    take: Annotated[str, Field(min_length=1, max_length=63)]
    """The column of the reference table whose value is taken; null where it has no such key."""

    rows: Annotated[SkipJsonSchema[dict[str, str | None]], Field(default_factory=dict)]
    """What the file says: values by key; never written in tables.yaml."""


class JoinTransform(Derivation):
    """Looks the value up in a reference table, a small CSV file beside tables.yaml."""

    type: Literal["join"]
    params: Annotated[JoinParams, Field(examples=[{"table": "depots", "on": "depot_code", "take": "city"}])]
    """The reference."""

    def check(self, shape: LakeShape) -> Iterator[Finding]:
        """A column that there is, and a type that texts can become."""
        yield from self.check_target(shape)
        name, made = self.params.on, self.made_type(shape)
        if name not in shape:
            path = ("params", "on")
            yield Finding(path, Code.UNKNOWN_COLUMN, f"no column '{name}' by then", did_you_mean(name, shape))
        elif shape[name].is_opaque or shape[name].type == "binary":
            message = f"'{name}' can't be looked up: it is {'hidden' if shape[name].is_opaque else 'binary'} by then"
            yield Finding(("params", "on"), Code.TRANSFORM_MISFITS_TYPE, message, "choose another column")
        if made == "binary":
            yield Finding(("params",), Code.WRONG_CAST, "a CSV file holds no binary values", "choose another type")

    def inputs(self, shape: LakeShape) -> frozenset[str]:
        """The column with the key."""
        return frozenset({self.params.on})

    @property
    def summary(self) -> str:
        """With the reference table."""
        return f"join {self.params.table}.{self.params.take} on {self.params.on}"
