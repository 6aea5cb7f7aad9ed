"""Kinds of values that several models of tables.yaml share: names and types."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fluvial.config.types import UnknownTypeError, spark_type

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
