"""Column types of tables.yaml: the accepted names, and the Spark type each one becomes."""

import re
from enum import StrEnum
from typing import Final

_ALIASES: Final = {
    "string": "string", "text": "string", "varchar": "string", "char": "string", "uuid": "string", "json": "string",
    "jsonb": "string",
    "byte": "tinyint", "tinyint": "tinyint",
    "short": "smallint", "smallint": "smallint",
    "int": "int", "integer": "int",
    "long": "bigint", "bigint": "bigint",
    "float": "float", "real": "float",
    "double": "double", "double precision": "double",
    "bool": "boolean", "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp", "timestamptz": "timestamp", "datetime": "timestamp",
    "binary": "binary", "bytea": "binary",
}  # fmt: skip
_DECIMAL: Final = re.compile(r"(?:decimal|numeric)\s*(?:\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?")
_SIZED: Final = re.compile(r"(varchar|char)\s*\(\s*\d+\s*\)")
MAX_PRECISION: Final = 38
EXACT_DIGITS: Final = 15
"""Of a decimal that survives as a double, which is what many readers and writers of JSON make of it."""
INTEGER_TYPES: Final = frozenset({"tinyint", "smallint", "int", "bigint"})
FLOATING_TYPES: Final = frozenset({"float", "double"})
NUMERIC_TYPES: Final = INTEGER_TYPES | FLOATING_TYPES
YEARS: Final = {
    "date": ("0001-01-01", "9999-12-31"),
    "timestamp": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
}
"""First and last value of the types of time: the years 1 to 9999, beyond which no two readers of a lake agree."""


class Family(StrEnum):
    """What a rule or transform may ask of a column; the words are those of its error messages."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "date or timestamp"
    BOOLEAN = "boolean"
    BYTES = "binary"


class UnknownTypeError(ValueError):
    """No such type name."""


_POSTGRES_TYPES: Final = {
    "string": "text",
    "tinyint": "smallint",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "binary": "bytea",
}


def known_type_names() -> tuple[str, ...]:
    """Every accepted spelling, for messages and completion."""
    return (*sorted(_ALIASES), "decimal(p,s)")


def spark_type(name: str) -> str:
    """Spark's simple string of a configured type; raises UnknownTypeError, or ValueError on an impossible precision."""
    folded = " ".join(name.lower().split())
    if (decimal := _DECIMAL.fullmatch(folded)) is not None:
        precision, scale = int(decimal[1] or MAX_PRECISION), int(decimal[2] or (0 if decimal[1] else 18))
        if not 1 <= precision <= MAX_PRECISION or scale > precision:
            raise ValueError(f"decimal({precision},{scale}) is impossible: 1 <= precision <= 38, scale <= precision")
        return f"decimal({precision},{scale})"
    if _SIZED.fullmatch(folded):
        return "string"
    if folded not in _ALIASES:
        raise UnknownTypeError(f"unknown type '{name}'")
    return _ALIASES[folded]


def decimal_size(spark_type_name: str) -> tuple[int, int]:
    """Precision and scale of a decimal that `spark_type` returned."""
    precision, scale = spark_type_name.removeprefix("decimal(").removesuffix(")").split(",")
    return int(precision), int(scale)


def is_numeric(spark_type_name: str) -> bool:
    """Whether rules such as `range` compare the type as a number."""
    return spark_type_name in NUMERIC_TYPES or spark_type_name.startswith("decimal")


def is_exact(spark_type_name: str) -> bool:
    """Whether the type's values are whole numbers or decimals."""
    return is_numeric(spark_type_name) and spark_type_name not in FLOATING_TYPES


def family(spark_type_name: str) -> Family:
    """The family of a Spark type that `spark_type` returned."""
    if is_numeric(spark_type_name):
        return Family.NUMBER
    return _FAMILIES[spark_type_name]


_FAMILIES: Final = {
    "string": Family.TEXT,
    "date": Family.TIME,
    "timestamp": Family.TIME,
    "boolean": Family.BOOLEAN,
    "binary": Family.BYTES,
}


def postgres_type(spark_type_name: str) -> str:
    """The PostgreSQL type that holds every value of a configured type."""
    if spark_type_name.startswith("decimal"):
        return spark_type_name.replace("decimal", "numeric", 1)
    return _POSTGRES_TYPES[spark_type_name]


_NUMERIC: Final = re.compile(r"numeric\((\d+),(-?\d+)\)")
_WIDER: Final = {
    "tinyint": ("smallint",),
    "smallint": ("smallint",),
    "int": ("smallint", "integer"),
    "bigint": ("smallint", "integer", "bigint"),
    "float": ("real",),
    "double": ("real", "double precision"),
    "boolean": ("boolean",),
    "date": ("date",),
    "binary": ("bytea",),
}


def holds(spark_type_name: str, found: str) -> bool:
    """Whether a configured type holds every value of a PostgreSQL type, as `format_type` writes it.

    Text holds anything, UUID, JSON, enumerations and arrays included. A numeric without digits of its own is taken:
    what doesn't fit is quarantined. A timestamp without a zone is taken for UTC.
    """
    if spark_type_name == "string":
        return True
    if spark_type_name == "timestamp":
        return re.fullmatch(r"timestamp(\(\d\))? with(out)? time zone", found) is not None
    if spark_type_name.startswith("decimal"):
        return _holds_numeric(spark_type_name, found)
    return found in _WIDER[spark_type_name]


def _holds_numeric(spark_type_name: str, found: str) -> bool:
    precision, scale = decimal_size(spark_type_name)
    numeric = _NUMERIC.fullmatch(found)
    if numeric is None:
        return found == "numeric"
    return int(numeric[2]) <= scale and int(numeric[1]) - int(numeric[2]) <= precision - scale
