"""Edits of transforms that would change the type of a column of log and history."""

from collections.abc import Iterator

from pydantic import ValidationError

from fluvial.config.model import Table
from fluvial.plan.configuration import MASKED, Document
from fluvial.plan.effects import Change, Effect, TableFacts


def lake_changes(before: Document, after: Document, facts: TableFacts) -> Iterator[Change]:
    """Transforms that give a stored column another type, which no table can take; an edit of `schema` tells its own."""
    if before.get("transforms") == after.get("transforms") or not facts.log_rows:
        return
    old, new = _lake_types(before), _lake_types(after)
    of_source = {column["name"]: column["type"] for column in before.get("schema", ())}
    told = {column["name"] for column in after.get("schema", ()) if of_source.get(column["name"]) != column["type"]}
    for name in sorted((old.keys() & new.keys()) - told):
        if old[name] != new[name]:
            meaning = (
                f"the lake stores {old[name]}: let the transform make a column of a new name, and drop this one later"
            )
            yield Change(f"transforms.{name}.type", Effect.REFUSED, meaning, old[name], new[name])


def _lake_types(document: Document) -> dict[str, str]:
    """Columns of log and history; none where the document names kinds that only its use case knows."""
    try:
        table = Table.model_validate({key: value for key, value in document.items() if key != MASKED})
    except ValidationError:
        return {}
    return {name: found.type for name, found in table.lake_shape.items()}
