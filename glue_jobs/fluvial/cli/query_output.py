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
from rich.markup import escape
from rich.table import Table

_JSON_CHUNK: Final = 10_000


def json_chunks(result: pa.Table) -> Iterator[str]:
    """One JSON array of objects, in pieces; timestamps are UTC with microseconds, decimals keep every digit."""
    yield "["
    separator = "\n"
    for batch in result.to_batches(max_chunksize=_JSON_CHUNK):
        for row in batch.to_pylist():
            yield f"{separator}  {json_text(row)}"
            separator = ",\n"
    yield "\n]\n" if result.num_rows else "]\n"


def csv_chunks(result: pa.Table) -> Iterator[str]:
    """A header and one line for each row; nested values as JSON, NULL as nothing."""
    yield _csv_line(result.column_names)
    for batch in result.to_batches(max_chunksize=_JSON_CHUNK):
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield _csv_line([plain_text(value) for value in row])


def print_table(result: pa.Table, console: Console) -> None:
    """A table fitted to the terminal; on a pipe, aligned columns that are neither folded nor cut."""
    rows = [[plain_text(value) for value in row.values()] for row in result.to_pylist()]
    if not console.is_terminal:
        console.file.writelines(
            _aligned([result.column_names, *rows], [_is_number(kind) for kind in result.schema.types])
        )
        return
    table = Table()
    for field in result.schema:
        table.add_column(field.name, justify="right" if _is_number(field.type) else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table, emoji=False, highlight=False)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind))


def _aligned(rows: list[list[str]], is_number: list[bool]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, is_number, strict=True)
        yield (
            "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells).rstrip() + "\n"
        )


def iso_timestamp(value: datetime) -> str:
    """ISO 8601 with microseconds; `Z` where the value has a zone."""
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def json_text(value: object) -> str:
    """A value as JSON on one line."""
    # By hand, because the json module can write a Decimal only by way of float.
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal() | float():
            return _json_number(value)
        case dict():
            return "{" + ", ".join(f"{json_text(str(name))}: {json_text(item)}" for name, item in value.items()) + "}"
        case list() if value and all(isinstance(item, tuple) for item in value):
            return "{" + ", ".join(f"{json_text(plain_text(key))}: {json_text(item)}" for key, item in value) + "}"
        case list():
            return "[" + ", ".join(map(json_text, value)) + "]"
        case _:
            return json.dumps(_scalar(value), ensure_ascii=False)


def _json_number(value: Decimal | float) -> str:
    if isinstance(value, float):
        return json.dumps(value) if math.isfinite(value) else json.dumps(_infinite_name(value))
    return format(value, "f")


def _infinite_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def plain_text(value: object) -> str:
    """A value as bare text; NULL as nothing, nested values as JSON."""
    match value:
        case None:
            return ""
        case bool() | float() | dict() | list():
            return json_text(value).strip('"')
        case Decimal():
            return format(value, "f")
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
