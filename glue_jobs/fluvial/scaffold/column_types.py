"""PostgreSQL's types as types of tables.yaml."""

import re
from typing import Final

_TYPES: Final = {
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    "real": "float",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp with time zone": "timestamp",
    "timestamp without time zone": "timestamp",
    "bytea": "binary",
    "text": "string",
    "uuid": "string",
    "json": "string",
    "jsonb": "string",
    "citext": "string",
}
_SIZED: Final = re.compile(r"character(?: varying)?(?:\((\d+)\))?")
_NUMERIC: Final = re.compile(r"numeric\((\d+),(\d+)\)")
_MAX_PRECISION: Final = 38


def configured_type(postgres: str, *, is_enum: bool) -> str:
    """The type that holds every value; empty where tables.yaml has none."""
    if (numeric := _NUMERIC.fullmatch(postgres)) is not None and int(numeric[1]) <= _MAX_PRECISION:
        return f'"decimal({numeric[1]},{numeric[2]})"'
    if is_enum or _SIZED.fullmatch(postgres):
        return "string"
    return _TYPES.get(postgres, "")


def longest(postgres: str) -> int | None:
    """The most characters that a sized text type holds."""
    sized = _SIZED.fullmatch(postgres)
    return int(sized[1]) if sized is not None and sized[1] else None
