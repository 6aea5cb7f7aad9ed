"""What an edit of tables.yaml does to tables that are live: the named kinds of effect, from harmless to refused."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """How far an edit reaches; the order is that of the members."""

    NONE = "none"
    METADATA = "metadata only"
    FORWARD = "forward only"
    REDERIVED = "history re-derived"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        """0 for the most harmless."""
        return list(Effect).index(self)


@dataclass(frozen=True)
class Change:
    """One edit: where, what it was and is, how far it reaches, and what a person should know of it.

    `place` is a path such as `dq_rules.price_range`; `before` and `after` are None where there was or is nothing.
    """

    place: str
    effect: Effect
    meaning: str
    before: Any = None
    after: Any = None
    warning: str = ""

    def as_json(self) -> dict[str, Any]:
        """The change as data."""
        return {**asdict(self), "effect": self.effect.value}


@dataclass(frozen=True)
class TableFacts:
    """What the lake holds of a table, in rows and in bytes of its history; `waiting` are records of a parked one.

    `values` counts the log rows in which a column has a value, `left_behind` the log rows at a place that the new
    configuration no longer names. `old_columns` and `new_columns` are those of log and history with their types, as the
    applied and the new configuration make them.
    """

    log_rows: int = 0
    versions: int = 0
    bytes: int = 0
    quarantined: int = 0
    left_behind: int = 0
    waiting: int = 0
    values: Mapping[str, int] = field(default_factory=dict)
    old_columns: Mapping[str, str] = field(default_factory=dict)
    new_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowEffect:
    """Rows of the history that a change inserts, deletes and updates; keys they belong to; bytes written anew."""

    inserted: int = 0
    deleted: int = 0
    updated: int = 0
    keys: int = 0
    bytes: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.inserted + self.deleted + self.updated

    def as_json(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


def strongest(effects: Iterable[Effect]) -> Effect:
    """The effect that reaches farthest; none where there is none."""
    return max(effects, key=lambda effect: effect.rank, default=Effect.NONE)
