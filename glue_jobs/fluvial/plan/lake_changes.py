"""Edits of transforms that change the columns of log and history: their types, and which there are."""

from collections.abc import Iterator

from fluvial.plan.configuration import Document
from fluvial.plan.effects import Change, Effect, TableFacts


def lake_changes(before: Document, after: Document, facts: TableFacts) -> Iterator[Change]:
    """What edits of transforms do to stored columns; an edit of `schema` tells its own."""
    if before.get("transforms") == after.get("transforms") or not facts.old_columns:
        return
    old, new = facts.old_columns, facts.new_columns
    told = _edited_columns(before, after)
    for name in sorted((old.keys() & new.keys()) - told):
        if old[name] != new[name] and facts.log_rows:
            yield _retyped(name, old[name], new[name])
    for name in sorted(new.keys() - old.keys() - told):
        yield _added(name, new[name], facts.values.get(name, 0))
    for name in sorted(old.keys() - new.keys() - told):
        yield _dropped(name, old[name], facts.values.get(name, 0))


def _edited_columns(before: Document, after: Document) -> set[str]:
    """Columns that an edit of `schema` adds, drops or retypes."""
    old, new = ({column["name"]: column["type"] for column in side.get("schema", ())} for side in (before, after))
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _retyped(name: str, before: str, after: str) -> Change:
    meaning = f"the lake stores {before}: let the transform make a column of a new name, and drop this one later"
    return Change(f"transforms.{name}.type", Effect.REFUSED, meaning, before, after)


def _added(name: str, spark_type: str, kept: int) -> Change:
    place = f"lake.{name}"
    if kept:
        meaning = f"the column was there before: the {kept:,} log rows with a value show it again"
        return Change(place, Effect.REDERIVED, meaning, None, spark_type)
    meaning = "log and history get the column; events so far say nothing of it and stay NULL"
    return Change(place, Effect.FORWARD, meaning, None, spark_type)


def _dropped(name: str, spark_type: str, kept: int) -> Change:
    warning = f"{kept:,} log rows keep its values: this erases nothing" if kept else ""
    meaning = "new events no longer fill it; what is stored stays in its place"
    return Change(f"lake.{name}", Effect.FORWARD, meaning, spark_type, None, warning)
