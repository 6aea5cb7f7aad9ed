"""What is left of a broken table, so that its meaning is checked in the same run as its shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from fluvial.config.findings import Finding, Path
from fluvial.config.meaning import table_findings, unknown_column
from fluvial.config.model import Column, Table

_LISTS: Final = ("dq_rules", "transforms", "deequ_checks")
_MAKING: Final = frozenset({"expression", "function", "table"})
"""Parameters of transforms that make columns."""


@dataclass(frozen=True)
class Salvaged:
    """A table that makes sense; `kept` maps positions of its lists to those in the file, where items are missing.

    `named` are the columns that the missing rules and checks name, at their places in the table; `made` are those that
    the missing transforms may have made.
    """

    position: int
    table: Table
    untyped: frozenset[str] = frozenset()
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)
    named: Sequence[tuple[Path, str]] = ()
    made: frozenset[str] = frozenset()

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the table's meaning, at its places in the file."""
        for finding in table_findings(self.table, self.untyped, self.made):
            head, *rest = finding.path
            if head in self.kept and rest:
                rest[0] = self.kept[str(head)][int(rest[0])]
            yield replace(finding, path=("tables", self.position, head, *rest))
        for path, name in self.named:
            yield from unknown_column(self.table, ("tables", self.position, *path), name)


def salvage_tables(tables: Any, model: type[Table] = Table) -> list[Salvaged]:
    """Every table that makes sense without its broken parts."""
    found = (_salvaged(position, raw, model) for position, raw in enumerate(tables if isinstance(tables, list) else []))
    return [salvaged for salvaged in found if salvaged is not None]


def _salvaged(position: int, raw: Any, model: type[Table]) -> Salvaged | None:
    if not isinstance(raw, dict):
        return None
    columns, untyped = _columns(raw.get("schema"))
    kept = {"schema": list(columns)}
    whole = {**raw, "schema": list(columns.values())}
    try:
        return Salvaged(position, model.model_validate(whole), untyped, kept)
    except ValidationError as error:
        kept |= _kept(raw, error)
        named, made = tuple(_named(raw, kept, error)), frozenset(_made(raw, kept))
        broken = {str(details["loc"][0]) for details in error.errors()} - {*_LISTS, "schema"}
    parts = {key: value for key, value in whole.items() if key not in broken}
    parts |= {key: [raw[key][index] for index in kept[key]] for key in _LISTS if key in kept}
    try:
        return Salvaged(position, model.model_validate(parts), untyped, kept, named, made)
    except ValidationError:
        return None


def _columns(schema: Any) -> tuple[dict[int, Column], frozenset[str]]:
    """Every column that has a usable name, by position; one with anything else wrong counts as text."""
    columns: dict[int, Column] = {}
    untyped: set[str] = set()
    for position, raw in enumerate(schema if isinstance(schema, list) else []):
        try:
            columns[position] = Column.model_validate(raw)
        except ValidationError:
            name = raw.get("name") if isinstance(raw, dict) else None
            try:
                columns[position] = Column.model_validate({"name": name, "type": "string"})
            except ValidationError:
                continue
            untyped.add(columns[position].name)
    return columns, frozenset(untyped)


def _kept(raw: Mapping[str, Any], error: ValidationError) -> dict[str, list[int]]:
    """The positions of list items that hold no error."""
    broken = {details["loc"][:2] for details in error.errors()}
    return {
        key: [] if (key,) in broken else [index for index in range(len(raw[key])) if (key, index) not in broken]
        for key in _LISTS
        if key in raw
    }


def _named(
    raw: Mapping[str, Any], kept: Mapping[str, Sequence[int]], error: ValidationError
) -> Iterator[tuple[Path, str]]:
    """Columns that items with another error name; a transform may name what another one makes: of those, none."""
    wrong = {details["loc"][:2] for details in error.errors() if "column" in details["loc"]}
    for key in ("dq_rules", "deequ_checks"):
        items = raw.get(key)
        for index, item in enumerate(items if isinstance(items, list) else []):
            is_said = index in kept[key] or (key, index) in wrong
            if not is_said and isinstance(item, dict) and isinstance(item.get("column"), str):
                yield (key, index, "column"), item["column"]


def _made(raw: Mapping[str, Any], kept: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Names that broken transforms give."""
    steps = raw.get("transforms")
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        params = step.get("params") if isinstance(step, dict) and index not in kept["transforms"] else None
        if isinstance(params, dict):
            names = (params.get("new_name"), step["column"] if _MAKING & params.keys() and "column" in step else None)
            yield from (name for name in names if isinstance(name, str))
