"""Values of a source table as its history shows them, in SQL that PostgreSQL and DuckDB both understand."""

from functools import reduce
from typing import Final

from fluvial.config.model import Column, Table
from fluvial.config.transforms import MaskPiiTransform, RoundTransform, Transform
from fluvial.config.types import postgres_type

BUCKET_DIGITS: Final = 3
"""Hexadecimal digits of a key's hash that name its range: 4096 ranges."""

_POSTGRES_TEXT: Final = {
    "timestamp": "(extract(epoch from {value}) * 1000000)::bigint::text",
    "binary": "encode({value}, 'hex')",
}
_DUCKDB_TEXT: Final = {"timestamp": "epoch_us({value})::text", "binary": "lower(hex({value}))"}


def transformed(table: Table, column: Column, value: str) -> str:
    """`value`, an expression of the column's type, after the column's transforms."""
    transforms = (transform for transform in table.ordered_transforms if transform.column == column.name)
    return reduce(
        lambda so_far, transform: f"cast({_change(transform, so_far)} as {postgres_type(column.type)})",
        transforms,
        value,
    )


def postgres_row_hash(table: Table) -> str:
    """A row of the source as a 60-bit number, the same as `duckdb_row_hash` of the version it became."""
    values = [transformed(table, column, f'"{column.name}"') for column in table.columns]
    return f"('x' || substr({_md5(table.columns, values, _POSTGRES_TEXT)}, 1, 15))::bit(60)::bigint"


def duckdb_row_hash(table: Table) -> str:
    """A version's values as a 60-bit number."""
    values = [f'"{column.name}"' for column in table.columns]
    return f"('0x' || substr({_md5(table.columns, values, _DUCKDB_TEXT)}, 1, 15))::bigint"


def postgres_bucket(table: Table) -> str:
    """The range that a row's key belongs to."""
    return _bucket(table, _POSTGRES_TEXT)


def duckdb_bucket(table: Table) -> str:
    """The range that a version's key belongs to."""
    return _bucket(table, _DUCKDB_TEXT)


def _bucket(table: Table, texts: dict[str, str]) -> str:
    columns = tuple(column for column in table.columns if column.name in table.primary_key)
    return f"substr({_md5(columns, [_quoted(column) for column in columns], texts)}, 1, {BUCKET_DIGITS})"


def _quoted(column: Column) -> str:
    return f'"{column.name}"'


def _md5(columns: tuple[Column, ...], values: list[str], texts: dict[str, str]) -> str:
    """Lengths keep neighbours apart, a dash stands for NULL."""
    cells = [
        _cell(texts.get(column.type, "{value}::text").format(value=value))
        for column, value in zip(columns, values, strict=True)
    ]
    return f"md5({' || '.join(cells)})"


def _cell(text: str) -> str:
    return f"coalesce(length({text})::text || ':' || {text}, '-')"


def _change(transform: Transform, value: str) -> str:
    match transform:
        case RoundTransform():
            return f"cast({value} as numeric(38, {transform.params.decimals}))"
        case MaskPiiTransform():
            return _masked(value, transform.params.visible_chars)
        case _ if transform.type == "trim":
            return f"rtrim(ltrim({value}, ' '), ' ')"
        case _:
            return f"{transform.type}({value})"


def _masked(value: str, visible: int) -> str:
    hidden = f"repeat('*', length({value}) - {visible}) || right({value}, {visible})"
    return f"case when length({value}) > {visible} then {hidden} else repeat('*', length({value})) end"
