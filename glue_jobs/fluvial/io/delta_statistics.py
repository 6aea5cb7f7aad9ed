"""The statistics that Delta keeps of a data file, for files that Spark didn't write."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_MOST_CHARACTERS: Final = 32
"""Of a text's bound, as Delta keeps them."""
_HIGHEST: Final = "\U0010ffff"


def statistics_text(rows: pa.Table, names: Sequence[str]) -> str:
    """As JSON: how many rows there are, and for these columns how many are NULL and the lowest and highest value.

    Times are cut to the millisecond, as Delta cuts them. A bound that can't be told is left out.
    """
    columns = {name: rows[name] for name in names}
    bounds = {name: _bounds(column) for name, column in columns.items()}
    lowest = ((name, low) for name, (low, _) in bounds.items())
    highest = ((name, high) for name, (_, high) in bounds.items())
    nulls = ((name, str(column.null_count)) for name, column in columns.items())
    parts = {"minValues": lowest, "maxValues": highest, "nullCount": nulls}
    return _object([("numRecords", str(rows.num_rows)), *((kind, _object(told)) for kind, told in parts.items())])


def _object(members: Iterable[tuple[str, str | None]]) -> str:
    """Of values that are JSON already."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members if value is not None) + "}"


def _bounds(column: pa.ChunkedArray) -> tuple[str | None, str | None]:
    if pa.types.is_floating(column.type) or pa.types.is_binary(column.type) or pa.types.is_boolean(column.type):
        return None, None
    found = pc.min_max(column).as_py()
    return _told(found["min"]), _told(found["max"], is_highest=True)


def _told(value: Any, *, is_highest: bool = False) -> str | None:
    match value:
        case None:
            return None
        case Decimal():
            return format(value, "f")
        case datetime():
            return json.dumps(value.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        case date():
            return json.dumps(value.isoformat())
        case str() if len(value) > _MOST_CHARACTERS:
            return _cut(value, is_highest=is_highest)
        case _:
            return json.dumps(value)


def _cut(text: str, *, is_highest: bool) -> str | None:
    """The highest one is rounded up: behind it lies no text that begins so."""
    begin, following = text[:_MOST_CHARACTERS], text[_MOST_CHARACTERS]
    if is_highest:
        return None if following == _HIGHEST else json.dumps(begin + _HIGHEST)
    return json.dumps(begin)
