"""Arrow types of a Delta schema, for rows that are read and written without Spark."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from fluvial.config.types import decimal_size

_SCALARS: Final[Mapping[str, pa.DataType]] = {
    "string": pa.string(),
    "byte": pa.int8(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}


def arrow_schema(schema_json: str) -> pa.Schema | None:
    """The columns of a Delta table; None where one has a type that no column of Fluvial's has."""
    fields = [(field["name"], _arrow_type(field["type"])) for field in json.loads(schema_json)["fields"]]
    return None if any(kind is None for _, kind in fields) else pa.schema(fields)


def _arrow_type(kind: str | Mapping[str, Any]) -> pa.DataType | None:
    if not isinstance(kind, str):
        element = _arrow_type(kind["elementType"]) if kind["type"] == "array" else None
        return None if element is None else pa.list_(pa.field("element", element))
    return pa.decimal128(*decimal_size(kind)) if kind.startswith("decimal") else _SCALARS.get(kind)
