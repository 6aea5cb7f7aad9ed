"""Reference tables: small CSV files beside tables.yaml, read with it, whose rows `join` transforms look up.

They are configuration: the same file gives the same history, however often and in whatever batches events arrive.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, did_you_mean

REFERENCE_FILE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.csv"
MAX_BYTES: Final = 1 << 18
MAX_ROWS: Final = 5_000


@dataclass(frozen=True)
class Reference:
    """One file: its columns, and for each key the row's texts; an empty text counts as null."""

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str | None]]


class _WrongFileError(Exception):
    """The file can't be used."""


def resolve_references(data: dict[str, Any], folder: Path) -> list[Finding]:
    """Puts the rows that each join looks up into its params; returns what is wrong with files and joins."""
    findings: list[Finding] = []
    references: dict[str, Reference] = {}
    for position, raw in enumerate(_items(data.get("reference_tables"))):
        name, file, key = raw.get("name"), raw.get("file"), raw.get("key")
        if not (isinstance(name, str) and isinstance(key, str) and _is_safe(file)):
            continue  # the model tells what is wrong
        try:
            references[name] = _read(folder / str(file), key)
        except _WrongFileError as error:
            references[name] = Reference((), {})
            path = ("reference_tables", position, "file")
            findings.append(Finding(path, Code.WRONG_REFERENCE, str(error), "a CSV file in UTF-8 with a line of names"))
    for place, params in _joins(data):
        findings.extend(finding.below(*place) for finding in _resolve(params, references))
    return findings


def _is_safe(file: object) -> bool:
    return isinstance(file, str) and re.fullmatch(REFERENCE_FILE, file) is not None


def _items(value: Any) -> list[dict[str, Any]]:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def _joins(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    for index, table in enumerate(_items(data.get("tables"))):
        for position, step in enumerate(_items(table.get("transforms"))):
            if step.get("type") == "join" and isinstance(params := step.get("params"), dict):
                yield ("tables", index, "transforms", position, "params"), params


def _resolve(params: dict[str, Any], references: Mapping[str, Reference]) -> Iterator[Finding]:
    table, take = params.get("table"), params.get("take")
    if not isinstance(table, str) or not isinstance(take, str):
        return
    if table not in references:
        message = f"no reference table '{table}'"
        hint = did_you_mean(table, references) if references else "name its file below `reference_tables`"
        yield Finding(("table",), Code.WRONG_REFERENCE, message, hint)
        return
    reference = references[table]
    if reference.columns and take not in reference.columns:
        message = f"reference table '{table}' has no column '{take}'"
        yield Finding(("take",), Code.WRONG_REFERENCE, message, did_you_mean(take, reference.columns))
        return
    params["rows"] = {key: row.get(take) for key, row in reference.rows.items()}


def _read(path: Path, key: str) -> Reference:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _WrongFileError(f"{path.name} is larger than {MAX_BYTES // 1024} KiB")
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except OSError as error:
        raise _WrongFileError(f"{path.name}: {str(error.strerror).lower()}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _WrongFileError(f"{path.name} isn't CSV in UTF-8") from error
    if not lines or len(lines) > MAX_ROWS + 1:
        raise _WrongFileError(f"{path.name} needs a line of names and {MAX_ROWS:,} rows at most")
    return _reference(path.name, lines, key)


def _reference(name: str, lines: list[list[str]], key: str) -> Reference:
    columns = tuple(lines[0])
    if key not in columns:
        raise _WrongFileError(f"{name} has no column '{key}' for its key")
    rows: dict[str, Mapping[str, str | None]] = {}
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(columns, (text or None for text in line), strict=False))
        if len(line) != len(columns) or not row[key] or row[key] in rows:
            raise _WrongFileError(f"{name}:{number}: each row has every column, and a key of its own")
        rows[str(row[key])] = row
    return Reference(columns, rows)
