"""Repaired values, one JSON object a line: `{"sequence", "key": {column: value}, "values": {column: text or null}}`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.errors import RepairsFileError

_SHAPE: Final = 'one JSON object a line: {"sequence": "...", "key": {"id": 1}, "values": {"price": "9.50"}}'


@dataclass(frozen=True)
class Repair:
    """New texts for some columns of the event of one key at one sequence; `line` counts from 1."""

    sequence: str
    key: Mapping[str, str]
    values: Mapping[str, str | None]
    line: int


def read_repairs(path: Path, table: Table) -> tuple[Repair, ...]:
    """The repairs in the file's order; raises RepairsFileError with the line's number."""
    repairs: dict[tuple[str, ...], Repair] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        repair = _repair(line, f"{path}:{number}", number, table)
        place = (repair.sequence, *repair.key.values())
        if place in repairs:
            message = f"{path}:{number}: repairs the event of line {repairs[place].line} once more"
            raise RepairsFileError(message, "keep one line for each event", line=number)
        repairs[place] = repair
    return tuple(repairs.values())


def repair_line(event: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """A quarantined event as a line to edit: the columns that broke a rule, with the texts they have.

    A masked column is left out, so that its mask can't come back as its value.
    """
    image = dict(event[c.AFTER_IMAGE] or ())
    editable = [name for name in table.value_columns if name not in table.masked_columns]
    broken = (violation["column"] for violation in event[c.VIOLATIONS] or () if violation["severity"] == "error")
    values = {name: image.get(name) for name in broken if name in editable}
    return {"sequence": event[c.SEQUENCE], "key": {name: event[name] for name in table.primary_key}, "values": values}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")  # a value may hold what Unicode calls the end of a line
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise RepairsFileError(f"can't read {path}: {reason}", _SHAPE) from error


def _repair(line: str, place: str, number: int, table: Table) -> Repair:
    def refuse(reason: str, hint: str = _SHAPE) -> RepairsFileError:
        return RepairsFileError(f"{place}: {reason}", hint, line=number)

    try:
        # Numbers stay the text they are: a float would change a decimal.
        found = json.loads(line, parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        raise refuse(f"not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(found, dict) or set(found) != {"sequence", "key", "values"}:
        raise refuse("expected sequence, key and values, and nothing else")
    sequence, key, values = found["sequence"], found["key"], found["values"]
    if not isinstance(sequence, str) or not _is_flat(key) or not _is_flat(values) or not values:
        raise refuse("sequence is a text, key and values are objects of texts, values isn't empty")
    if set(key) != set(table.primary_key) or None in key.values():
        raise refuse(f"the key of {table.name} is {', '.join(table.primary_key)}")
    if wrong := sorted(set(values) - set(table.value_columns)):
        hint = f"a repair can change {', '.join(table.value_columns)}"
        raise refuse(f"{', '.join(wrong)} can't be repaired in {table.name}", hint)
    return Repair(sequence, {name: str(_text(key[name])) for name in table.primary_key}, _texts(values), number)


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(item, dict | list) for item in value.values())


def _texts(values: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
