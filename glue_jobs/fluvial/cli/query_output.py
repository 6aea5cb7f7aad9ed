"""A query's result as text: JSON, CSV, or a table for people."""

import base64
import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import pyarrow as pa
from rich.console import Console
from rich.table import Table

_JSON_CHUNK: Final = 10_000


def json_chunks(result: pa.Table) -> Iterator[str]:
    """One JSON array of objects, in pieces; timestamps are UTC with microseconds, decimals keep every digit."""
    yield "["
    separator = "\n"
    for batch in result.to_batches(max_chunksize=_JSON_CHUNK):
        for row in batch.to_pylist():
            yield f"{separator}  {_json(row)}"
            separator = ",\n"
    yield "\n]\n" if result.num_rows else "]\n"


def csv_chunks(result: pa.Table) -> Iterator[str]:
    """A header and one line for each row; nested values as JSON, NULL as nothing."""
    yield _csv_line(result.column_names)
    for batch in result.to_batches(max_chunksize=_JSON_CHUNK):
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield _csv_line([_plain(value) for value in row])


def print_table(result: pa.Table, console: Console) -> None:
    """A table: with lines on a terminal, columns set apart by two spaces on a pipe."""
    box = Table(box=None if not console.is_terminal else Table().box, pad_edge=console.is_terminal)
    for field in result.schema:
        is_number = (
            pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) or pa.types.is_floating(field.type)
        )
        box.add_column(
            field.name, justify="right" if is_number else "left", overflow="fold", no_wrap=not console.is_terminal
        )
    for row in result.to_pylist():
        box.add_row(*(_plain(value) for value in row.values()))
    console.print(box, markup=False)


def iso_timestamp(value: datetime) -> str:
    """ISO 8601 with microseconds; `Z` where the value has a zone."""
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _json(value: object) -> str:
    # By hand, because the json module can write a Decimal only by way of float.
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal() | float():
            return _json_number(value)
        case dict():
            return "{" + ", ".join(f"{_json(str(name))}: {_json(item)}" for name, item in value.items()) + "}"
        case list() if value and all(isinstance(item, tuple) for item in value):
            return "{" + ", ".join(f"{_json(_plain(key))}: {_json(item)}" for key, item in value) + "}"
        case list():
            return "[" + ", ".join(map(_json, value)) + "]"
        case _:
            return json.dumps(_scalar(value), ensure_ascii=False)


def _json_number(value: Decimal | float) -> str:
    if isinstance(value, float):
        return json.dumps(value) if math.isfinite(value) else json.dumps(_infinite_name(value))
    return format(value, "f")


def _infinite_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case float():
            return repr(value) if math.isfinite(value) else _infinite_name(value)
        case dict() | list():
            return _json(value)
        case _:
            return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case datetime():
            return iso_timestamp(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case timedelta():
            return str(value)
        case _:
            return str(value)


def _csv_line(values: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()
