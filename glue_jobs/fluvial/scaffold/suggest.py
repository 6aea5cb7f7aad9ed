"""What a profile makes plausible: rules, masks, classifications, each with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fluvial.config.classification import looks_personal
from fluvial.scaffold.column_types import configured_type, longest
from fluvial.scaffold.profile import ColumnProfile, TableProfile

_ENOUGH: Final = 20
"""Sampled values from which on a habit is taken for a rule."""
_SHARE: Final = 0.8
_NUMBERS: Final = ("smallint", "int", "bigint", "float", "double", '"decimal')
_PATTERNS: Final = {"email": r"'^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$'"}
_PERCENT: Final = ("pct", "percent", "percentage")


@dataclass(frozen=True)
class Suggestion:
    """One line of a list in tables.yaml, and why it is there."""

    line: str
    reason: str


def personal_reason(column: ColumnProfile) -> str:
    """Why a column seems to say who somebody is; empty where it doesn't."""
    if looks_personal(column.name):
        return "its name says that it is personal"
    for name, count in column.matches.items():
        if column.present >= _ENOUGH and count >= _SHARE * column.present:
            return f"{_share(count, column.present)} of the sampled values look like: {name}"
    return ""


def suggested_rules(table: TableProfile, column: ColumnProfile) -> Iterator[Suggestion]:
    """Rules that the sampled rows keep and that the catalog or the column's name give a reason for."""
    if column.key:
        return
    if column.is_required:
        yield _rule(table, column, "present", "not_null", "", "the source says NOT NULL")
    elif column.present == table.sampled >= _ENOUGH:
        yield _rule(
            table, column, "present", "not_null", "", f"none of {table.sampled} sampled rows lacks it", "warning"
        )
    yield from _number_rules(table, column)
    yield from _text_rules(table, column)


def suggested_mask(table: TableProfile, column: ColumnProfile) -> Suggestion | None:
    """A mask for a text that seems personal, unless it is a key, which nothing may change."""
    kind = configured_type(column.type, is_enum=bool(column.labels))
    reason = personal_reason(column)
    if not reason or column.key or kind != "string":
        return None
    line = f"{{id: {_id(table, column)}_mask, type: mask_pii, column: {column.name}, params: {{visible_chars: 0}}}}"
    return Suggestion(line, reason)


def _number_rules(table: TableProfile, column: ColumnProfile) -> Iterator[Suggestion]:
    is_number = configured_type(column.type, is_enum=False).startswith(_NUMBERS)
    if not is_number or column.present < _ENOUGH or column.negative:
        return
    if column.name.lower().endswith(_PERCENT) and not column.above_hundred:
        reason = f"a share by its name, and all {column.present} sampled values lie from 0 to 100"
        yield _rule(table, column, "range", "range", "{min: 0, max: 100}", reason, "warning")
    else:
        reason = f"none of {column.present} sampled values is negative"
        yield _rule(table, column, "range", "range", "{min: 0}", reason, "warning")


def _text_rules(table: TableProfile, column: ColumnProfile) -> Iterator[Suggestion]:
    if column.labels and all(label.isprintable() and "${" not in label for label in column.labels):
        values = ", ".join("'" + label.replace("'", "''") + "'" for label in column.labels)
        yield _rule(table, column, "known", "allowed_values", f"{{values: [{values}]}}", "the labels of its enum type")
    if (most := longest(column.type)) is not None:
        yield _rule(table, column, "length", "length", f"{{max: {most}}}", f"its type is {column.type}")
    for name, pattern in _PATTERNS.items():
        if column.present >= _ENOUGH and column.matches.get(name) == column.present:
            reason = f"all {column.present} sampled values look like: {name}"
            yield _rule(table, column, "format", "regex", f"{{pattern: {pattern}}}", reason, "warning")


def _rule(  # noqa: PLR0913 - the parts of one line
    table: TableProfile, column: ColumnProfile, name: str, kind: str, params: str, reason: str, severity: str = "error"
) -> Suggestion:
    told = f", params: {params}" if params else ""
    head = f"id: {_id(table, column)}_{name}, type: {kind}, column: {column.name}"
    return Suggestion(f"{{{head}{told}, severity: {severity}}}", reason)


def _id(table: TableProfile, column: ColumnProfile) -> str:
    return f"{table.name}_{column.name}"[:100]


def _share(count: int, of: int) -> str:
    return "all" if count == of else f"{100 * count // of} %"
