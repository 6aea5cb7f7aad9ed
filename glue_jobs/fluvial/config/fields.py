"""Kinds of values that several models of tables.yaml share: names, types, places and intervals."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fluvial.config.types import UnknownTypeError, spark_type

# Paths stand in SQL text and in URLs; S3 itself advises against the rest.
_NOT_IN_PATHS: Final = re.compile(r"[^A-Za-z0-9 ._~=@:/()!*,${}+-]")

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""A business column: no leading underscore, because those names belong to Fluvial."""


def _known_type(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "expected the name of a type")
    try:
        return spark_type(value)
    except UnknownTypeError as error:
        raise PydanticCustomError("unknown_type", "unknown type '{name}'", {"name": value}) from error


TypeName = Annotated[str, BeforeValidator(_known_type)]
"""A type as tables.yaml writes it; the value is Spark's simple string."""


def _safe_location(location: str) -> str:
    scheme, separator, rest = location.partition("://")
    if separator and scheme not in {"s3", "s3a", "file"}:
        raise PydanticCustomError("wrong_scheme", "'{scheme}://' isn't a known kind of place", {"scheme": scheme})
    if ".." in (rest or scheme).split("/"):
        raise PydanticCustomError("upward_path", "'..' would lead out of the lake")
    if found := _NOT_IN_PATHS.search(location):
        raise PydanticCustomError("wrong_character", "{found} can't stand in a path", {"found": ascii(found[0])})
    return location


Location = Annotated[str, Field(min_length=1), AfterValidator(_safe_location)]
"""`s3://bucket/key`; on the local profile a folder of the lake."""

Interval = Annotated[str, Field(pattern=r"^\d+ (milli)?seconds?$|^\d+ minutes?$")]
"""`10 seconds`, `500 milliseconds`, `1 minute`."""
