"""What applying a configuration would do, as data: per table, per document, per live part; and its name, a hash."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fluvial.plan.configuration import Document, canonical
from fluvial.plan.documents import DocumentChange
from fluvial.plan.effects import Change, Effect, RowEffect, TableFacts, strongest
from fluvial.plan.table_changes import table_changes
from fluvial.plan.use_case_changes import use_case_changes


@dataclass(frozen=True)
class TablePlan:
    """One table: its edits, what the lake holds of it, and the rows of the history that applying changes."""

    name: str
    changes: tuple[Change, ...]
    facts: TableFacts
    rows: RowEffect = field(default_factory=RowEffect)

    @property
    def effect(self) -> Effect:
        """That of the edit that reaches farthest; without a row to change, nothing is derived again."""
        least = Effect.REDERIVED if self.rows.rows else Effect.METADATA
        return strongest(least if change.effect is Effect.REDERIVED else change.effect for change in self.changes)

    @property
    def needs_rederivation(self) -> bool:
        """Whether some edit asks for it, and none forbids everything."""
        effects = {change.effect for change in self.changes}
        return Effect.REDERIVED in effects and Effect.REFUSED not in effects

    def as_json(self) -> dict[str, Any]:
        """The plan as data."""
        return {
            "table": self.name,
            "effect": self.effect.value,
            "changes": [change.as_json() for change in self.changes],
            "log_rows": self.facts.log_rows,
            "versions": self.facts.versions,
            "history_rows": {**self.rows.as_json(), "total": self.rows.rows},
        }


@dataclass(frozen=True)
class LiveDifference:
    """Something that runs otherwise than configured; `is_refused` where applying can't change it."""

    part: str
    name: str
    what: str
    statement: str = ""
    is_refused: bool = False

    def as_json(self) -> dict[str, Any]:
        """The difference as data."""
        return dict(vars(self))


@dataclass(frozen=True)
class ChangePlan:
    """Everything that applying would do; `live` is None where no stack answers."""

    use_case: str
    before: Document | None
    after: Document
    tables: tuple[TablePlan, ...]
    settings: tuple[Change, ...] = ()
    documents: tuple[DocumentChange, ...] = ()
    live: tuple[LiveDifference, ...] | None = None

    @property
    def hash(self) -> str:
        """Names the plan: it changes with the configuration, with what is applied, and with what would be done.

        Counts aren't part of it, because a stream that goes on changes them all the time.
        """
        effects = {table.name: table.effect.value for table in self.tables}
        live = [difference.as_json() for difference in self.live or ()]
        told = canonical({"before": self.before, "after": self.after, "effects": effects, "live": live})
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @property
    def effect(self) -> Effect:
        """The one that reaches farthest."""
        return strongest([*(table.effect for table in self.tables), *(change.effect for change in self.settings)])

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to apply or to refuse."""
        return self.before != self.after or self.effect is not Effect.NONE or bool(self.live)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it can't be applied, each reason with its place."""
        return tuple(self._refusals())

    def _refusals(self) -> Iterator[str]:
        yield from (f"{change.place}: {change.meaning}" for change in self.settings if change.effect is Effect.REFUSED)
        for table in self.tables:
            refused = (change for change in table.changes if change.effect is Effect.REFUSED)
            yield from (f"{table.name}.{change.place}: {change.meaning}" for change in refused)
        yield from (f"{live.part} {live.name}: {live.what}" for live in self.live or () if live.is_refused)

    def as_json(self) -> dict[str, Any]:
        """The plan as data."""
        return {
            "use_case": self.use_case,
            "hash": self.hash,
            "effect": self.effect.value,
            "has_changes": self.has_changes,
            "is_first": self.before is None,
            "refusals": list(self.refusals),
            "settings": [change.as_json() for change in self.settings],
            "tables": [table.as_json() for table in self.tables],
            "documents": [change.as_json() for change in self.documents],
            "live": None if self.live is None else [difference.as_json() for difference in self.live],
        }


def plan_changes(before: Document | None, after: Document, facts: dict[str, TableFacts]) -> ChangePlan:
    """Tables and settings; a use case that was never applied has new tables only."""
    tables = tuple(
        TablePlan(name, table_changes(*documents, facts.get(name, TableFacts())), facts.get(name, TableFacts()))
        for name, documents in _pairs(before, after)
    )
    settings = use_case_changes(before, after, _together(facts)) if before is not None else ()
    return ChangePlan(after["name"], before, after, tables, settings)


def _pairs(before: Document | None, after: Document) -> Iterator[tuple[str, tuple[Document | None, Document | None]]]:
    old, new = (before or {}).get("tables", {}), after["tables"]
    for name in dict.fromkeys([*new, *old]):
        yield name, (old.get(name), new.get(name))


def _together(facts: dict[str, TableFacts]) -> TableFacts:
    return TableFacts(
        log_rows=sum(fact.log_rows for fact in facts.values()),
        versions=sum(fact.versions for fact in facts.values()),
        left_behind=sum(fact.left_behind for fact in facts.values()),
    )
