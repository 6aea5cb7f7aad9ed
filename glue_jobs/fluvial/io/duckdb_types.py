"""Names of Spark and Delta types as DuckDB writes them."""

from collections.abc import Mapping
from typing import Any, Final

from fluvial.sql_text import quote

_SCALARS: Final = {
    "string": "VARCHAR",
    "byte": "TINYINT", "tinyint": "TINYINT",
    "short": "SMALLINT", "smallint": "SMALLINT",
    "integer": "INTEGER", "int": "INTEGER",
    "long": "BIGINT", "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
    "binary": "BLOB",
}  # fmt: skip
_ARRAY: Final = "array<"


def duckdb_type(spark_type: str) -> str:
    """DuckDB's name of a Spark simple string: a scalar, a decimal, or an array of one."""
    if spark_type.startswith(_ARRAY):
        return f"{duckdb_type(spark_type[len(_ARRAY) : -1])}[]"
    if spark_type.startswith("decimal"):
        return spark_type.upper()
    return _SCALARS[spark_type]


def duckdb_type_of_field(delta_type: str | Mapping[str, Any]) -> str:
    """DuckDB's name of a type as a Delta schema writes it in JSON, nested ones included."""
    if isinstance(delta_type, str):
        return duckdb_type(delta_type)
    match delta_type["type"]:
        case "array":
            return f"{duckdb_type_of_field(delta_type['elementType'])}[]"
        case "map":
            key, value = duckdb_type_of_field(delta_type["keyType"]), duckdb_type_of_field(delta_type["valueType"])
            return f"MAP({key}, {value})"
        case _:
            fields = (f"{quote(field['name'])} {duckdb_type_of_field(field['type'])}" for field in delta_type["fields"])
            return f"STRUCT({', '.join(fields)})"
