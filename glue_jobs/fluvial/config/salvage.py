"""What is left of a broken table, so that its meaning is checked in the same run as its shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from fluvial.config.findings import Finding
from fluvial.config.meaning import table_findings
from fluvial.config.model import Column, Table

_LISTS: Final = ("dq_rules", "transforms", "deequ_checks")


@dataclass(frozen=True)
class Salvaged:
    """A table that makes sense; `kept` maps positions of its lists to those in the file, where items are missing."""

    position: int
    table: Table
    untyped: frozenset[str] = frozenset()
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the table's meaning, at its places in the file."""
        for finding in table_findings(self.table, self.untyped):
            head, *rest = finding.path
            if head in self.kept and rest:
                rest[0] = self.kept[str(head)][int(rest[0])]
            yield replace(finding, path=("tables", self.position, head, *rest))


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
        broken = {str(details["loc"][0]) for details in error.errors()} - {*_LISTS, "schema"}
    parts = {key: value for key, value in whole.items() if key not in broken}
    parts |= {key: [raw[key][index] for index in kept[key]] for key in _LISTS if key in kept}
    try:
        return Salvaged(position, model.model_validate(parts), untyped, kept)
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
