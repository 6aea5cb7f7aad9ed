"""A tables.yaml from the profiles of a database's tables."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fluvial.config.findings import printable
from fluvial.config.reserved import is_reserved_table
from fluvial.errors import FluvialError
from fluvial.scaffold.column_types import configured_type
from fluvial.scaffold.profile import ColumnProfile, TableProfile
from fluvial.scaffold.suggest import personal_reason, suggested_mask, suggested_rules
from fluvial.scaffold.template import HEAD

_TABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_NOTE: Final = """
# Made by `fluvial init` from a running database. Every suggestion says why it was made; none holds a value of a row.
# A comment that begins with "why" may go once you agree.
"""


def tables_from_profiles(name: str, database: str, schema: str, tables: Sequence[TableProfile]) -> tuple[str, int]:
    """The file's text, and how many tables are in it; the others are told in comments. Raises FluvialError."""
    for kind, word in (("database", database), ("schema", schema)):
        if not _TABLE.fullmatch(word):
            raise FluvialError(f"{kind} {printable(word)} has no plain name", "letters, digits and underscores only")
    blocks = [(table, _why_left_out(table)) for table in tables]
    kept = [table for table, reason in blocks if not reason]
    left_out = [f"# left out: {printable(table.name)}: {reason}\n" for table, reason in blocks if reason]
    head = HEAD.format(name=name, note=_NOTE, database=database, schema=schema)
    return head + "".join(left_out) + "tables:\n" + "\n".join("\n".join(_block(table)) + "\n" for table in kept), len(
        kept
    )


def _why_left_out(table: TableProfile) -> str:
    if not _TABLE.fullmatch(table.name) or is_reserved_table(table.name):
        return "its name can't be a table of the lake"
    if not table.primary_key:
        return "it has no primary key"
    bad = [column for column in table.columns if column.key and _why_not_captured(column)]
    return f"key column {printable(bad[0].name)}: {_why_not_captured(bad[0])}" if bad else ""


def _why_not_captured(column: ColumnProfile) -> str:
    if not _TABLE.fullmatch(column.name):
        return "its name can't be a column of the lake"
    if not configured_type(column.type, is_enum=bool(column.labels)):
        return f"tables.yaml has no type for {printable(column.type)}"
    if column.is_generated:
        return "it is generated, and no change event has its value"
    return ""


def _block(table: TableProfile) -> Iterator[str]:
    columns = [column for column in table.columns if not _why_not_captured(column)]
    yield f"  - name: {table.name}  # {table.sampled} rows were sampled"
    yield f"    primary_key: [{', '.join(table.primary_key)}]"
    yield "    schema:"
    yield from map(_column, table.columns)
    if rules := [rule for column in columns for rule in suggested_rules(table, column)]:
        yield "    dq_rules:"
        yield from (f"      - {rule.line}  # why: {rule.reason}" for rule in rules)
    if masks := [mask for column in columns if (mask := suggested_mask(table, column)) is not None]:
        yield "    # Masks run before anything is written. With every column classified, add `sensitive: true`."
        yield "    transforms:"
        yield from (f"      - {mask.line}  # why: {mask.reason}" for mask in masks)


def _column(column: ColumnProfile) -> str:
    if reason := _why_not_captured(column):
        return f"      # not captured: {printable(column.name)}: {reason}"
    kind = configured_type(column.type, is_enum=bool(column.labels))
    personal = personal_reason(column)
    parts = [f"name: {column.name}", f"type: {kind}", f"nullable: {str(not column.is_required).lower()}"]
    comment = "  # no time zone in the source: read as UTC" if column.type == "timestamp without time zone" else ""
    if personal:
        parts.append("classification: pii")
        comment = f"  # why: {personal}{comment.replace('  # ', '; ')}"
    return f"      - {{{', '.join(parts)}}}{comment}"
