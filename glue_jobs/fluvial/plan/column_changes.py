"""The edits of a table's columns: added, dropped, of another type, or described otherwise."""

from collections.abc import Iterator
from typing import Any

from fluvial.plan.configuration import Document
from fluvial.plan.effects import Change, Effect, TableFacts


def column_changes(name: str, before: Any, after: Any, facts: TableFacts) -> Iterator[Change]:
    """The edits between two lists of columns, as tables.yaml has them below `name`."""
    old, new = ({column["name"]: column for column in columns} for columns in (before, after))
    for column in dict.fromkeys([*new, *old]):
        place = f"{name}.{column}"
        if column not in old:
            yield _added_column(place, new[column], facts)
        elif column not in new:
            yield _dropped_column(place, old[column], facts)
        else:
            yield from _changed_column(place, old[column], new[column], facts)
    if list(old) != list(new) and sorted(old) == sorted(new):
        yield Change(name, Effect.METADATA, "the same columns in another order: tables keep theirs")


def _added_column(place: str, column: Document, facts: TableFacts) -> Change:
    kept = facts.values.get(column["name"], 0)
    meaning = "log, history and quarantine get the column; events so far say nothing of it and stay NULL"
    if kept:
        meaning = f"the column was there before: the {kept:,} log rows with a value show it again"
        return Change(place, Effect.REDERIVED, meaning, None, column)
    return Change(place, Effect.FORWARD, meaning, None, column)


def _dropped_column(place: str, column: Document, facts: TableFacts) -> Change:
    kept = facts.values.get(column["name"], 0)
    warning = f"{kept:,} log rows keep its values: this erases nothing" if kept else ""
    meaning = "new events no longer fill it; what is stored stays in its place"
    return Change(place, Effect.FORWARD, meaning, column, None, warning)


def _changed_column(place: str, before: Document, after: Document, facts: TableFacts) -> Iterator[Change]:
    if before["type"] != after["type"]:
        yield _retyped(f"{place}.type", before["type"], after["type"], facts)
    if before.get("nullable", True) != after.get("nullable", True):
        now = after.get("nullable", True)
        meaning = "a missing value passes from now on" if now else "a missing value is quarantined from now on"
        yield Change(f"{place}.nullable", Effect.FORWARD, meaning, not now, now)
    for name in sorted({*before, *after} - {"type", "nullable"}):
        if before.get(name) != after.get(name):
            meaning = "says what the column holds: no row changes"
            yield Change(f"{place}.{name}", Effect.METADATA, meaning, before.get(name), after.get(name))


def _retyped(place: str, before: str, after: str, facts: TableFacts) -> Change:
    if not facts.log_rows:
        return Change(place, Effect.FORWARD, "no event is stored yet", before, after)
    meaning = f"the lake stores {before}: add a column of type {after} under a new name, and drop this one later"
    return Change(place, Effect.REFUSED, meaning, before, after)
