"""What a table's columns are while its transforms run: their types, and the source columns each is made from."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LakeColumn:
    """A column after some transforms; `type` is empty where the file gives it none that can be read."""

    type: str
    sources: frozenset[str]
    is_opaque: bool = False
    """Whether it is a token or a ciphertext: text of which nothing can be read."""


LakeShape = Mapping[str, LakeColumn]
"""The columns by the names they have at that point, in their order."""


def find_column(shape: LakeShape, name: str) -> str | None:
    """The column of that name as Spark and Delta see it: without regard to case."""
    return next((known for known in shape if known.lower() == name.lower()), None)
