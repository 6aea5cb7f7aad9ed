"""Values of a source table as its history shows them, in SQL that PostgreSQL and DuckDB both understand."""

from collections.abc import Mapping
from typing import Final

from fluvial.config.model import Column, Table
from fluvial.config.transforms import (
    CastTransform,
    DefaultValueTransform,
    MaskPiiTransform,
    RenameTransform,
    RoundTransform,
    Transform,
)
from fluvial.config.types import INTEGER_TYPES, decimal_size, postgres_type
from fluvial.config.values import as_text
from fluvial.sql_text import literal

BUCKET_DIGITS: Final = 3
"""Hexadecimal digits of a key's hash that name its range: 4096 ranges."""

_WIDENING: Final = ("tinyint", "smallint", "int", "bigint")
_POSTGRES_TEXT: Final = {
    # Infinite ones aren't numbers; the history never shows them, so they only have to be told from everything else.
    "timestamp": (
        "case when isfinite({value}) then (extract(epoch from {value}) * 1000000)::bigint::text else {value}::text end"
    ),
    "binary": "encode({value}, 'hex')",
}
_DUCKDB_TEXT: Final = {"timestamp": "epoch_us({value})::text", "binary": "lower(hex({value}))"}


def compared_columns(table: Table) -> tuple[Column, ...]:
    """Columns of the lake whose transforms can be said in SQL; the others can't be compared with the source."""
    values = _transformed(table, {column.name: "" for column in table.columns})
    return tuple(column for column in table.lake.columns if column.name in values)


def transformed(table: Table, raw: Mapping[str, str]) -> dict[str, str]:
    """Expressions of the compared columns by their names in the lake, out of those of the source's columns."""
    values = _transformed(table, raw)
    return {column.name: values[column.name] for column in compared_columns(table)}


def postgres_row_hash(table: Table) -> str:
    """A row of the source as a 60-bit number, the same as `duckdb_row_hash` of the version it became."""
    raw = {column.name: quoted(column) for column in table.columns}
    values = list(transformed(table, raw).values())
    return f"('x' || substr({_md5(compared_columns(table), values, _POSTGRES_TEXT)}, 1, 15))::bit(60)::bigint"


def duckdb_row_hash(table: Table) -> str:
    """A version's values as a 60-bit number."""
    columns = compared_columns(table)
    return f"('0x' || substr({_md5(columns, [quoted(column) for column in columns], _DUCKDB_TEXT)}, 1, 15))::bigint"


def postgres_bucket(table: Table) -> str:
    """The range that a row's key belongs to."""
    return _bucket(table, _POSTGRES_TEXT)


def duckdb_bucket(table: Table) -> str:
    """The range that a version's key belongs to."""
    return _bucket(table, _DUCKDB_TEXT)


def _bucket(table: Table, texts: dict[str, str]) -> str:
    columns = tuple(column for column in table.columns if column.name in table.primary_key)
    return f"substr({_md5(columns, [quoted(column) for column in columns], texts)}, 1, {BUCKET_DIGITS})"


def quoted(column: Column) -> str:
    """Its name, for both."""
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


def _transformed(table: Table, raw: Mapping[str, str]) -> dict[str, str]:
    """The fold of `fluvial.transforms`, in SQL; a column that meets something SQL can't say is left out."""
    values = dict(raw)
    for transform, shape in table.shapes():
        if transform.column not in values:
            continue
        changed = _change(transform, shape[transform.column].type, values[transform.column])
        values = _placed(transform, changed, values)
    return values


def _placed(transform: Transform, changed: str | None, values: dict[str, str]) -> dict[str, str]:
    name = transform.params.new_name if isinstance(transform, RenameTransform) else transform.column
    if changed is None:
        return {known: value for known, value in values.items() if known != name}
    return {name if known == transform.column else known: value for known, value in values.items()} | {name: changed}


def _change(transform: Transform, kind: str, value: str) -> str | None:
    match transform:
        case RenameTransform():
            return value
        case RoundTransform(params=to) if kind.startswith("decimal"):
            return _rounded(value, to.decimals, kind)
        case RoundTransform(params=to):
            changed = _rounded_float(value, to.decimals)
        case MaskPiiTransform(params=shown):
            changed = _masked(value, shown.visible_chars)
        case DefaultValueTransform(params=default):
            changed = f"coalesce({value}, cast({literal(as_text(default.value))} as {postgres_type(kind)}))"
        case CastTransform(params=to):
            return f"cast({value} as {postgres_type(to.to_type)})" if _casts_alike(kind, to.to_type) else None
        case _ if transform.type == "trim":
            changed = f"rtrim(ltrim({value}, ' '), ' ')"
        case _ if transform.type in {"lower", "upper"}:
            changed = f"{transform.type}({value})"
        case _:
            return None
    return f"cast({changed} as {postgres_type(kind)})"


def _casts_alike(found: str, wanted: str) -> bool:
    """Whether the databases cast every value as Spark does; where a value may not fit, they fail or round."""
    if found == wanted:
        return True
    if wanted == "string":
        return found in INTEGER_TYPES or found == "date"
    return found in _WIDENING and wanted in _WIDENING and _WIDENING.index(found) < _WIDENING.index(wanted)


def _rounded(value: str, digits: int, kind: str) -> str:
    """What rounding would carry beyond the type stays as it is, and so does what isn't finite: a cast of it fails."""
    precision, scale = decimal_size(kind)
    rounded, largest = f"round({value}, {digits})", f"{'9' * (precision - scale) or '0'}.{'9' * scale or '0'}"
    return f"case when abs({rounded}) <= {largest} then cast({rounded} as {postgres_type(kind)}) else {value} end"


def _rounded_float(value: str, digits: int) -> str:
    """From 2^53 on there is nothing behind the point; what is far beyond, or isn't finite, is no `numeric` either."""
    rounded = f"cast(cast({value} as numeric(38, {digits})) as double precision)"
    return f"case when abs({value}) < 1e17 then {rounded} else {value} end"


def _masked(value: str, visible: int) -> str:
    hidden = f"repeat('*', length({value}) - {visible}) || right({value}, {visible})"
    return f"case when length({value}) > {visible} then {hidden} else repeat('*', length({value})) end"
