"""What a sample of a table says, as counts alone: no value of any row leaves the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PATTERNS: Final = {
    "email": r"^[^@[:space:]]+@[^@[:space:]]+[.][A-Za-z]{2,}$",
    "phone": r"^[+][0-9][0-9 ()/-]{6,20}$",
    "iban": r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$",
    "social security": r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
    "card number": r"^[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}$",
    "ip address": r"^[0-9]{1,3}([.][0-9]{1,3}){3}$",
}
"""Texts that tell who somebody is, as PostgreSQL's regular expressions."""


@dataclass(frozen=True)
class ColumnProfile:
    """`key` is the place in the primary key from 1, 0 outside of it; counts are of sampled rows.

    The values of one that `is_generated` are in no change event.
    """

    name: str
    type: str
    is_required: bool = False
    key: int = 0
    labels: tuple[str, ...] = ()
    """Of an enum type, from the catalog."""

    is_generated: bool = False
    present: int = 0
    negative: int = 0
    above_hundred: int = 0
    matches: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TableProfile:
    """One table and how many of its rows were looked at."""

    name: str
    columns: tuple[ColumnProfile, ...]
    sampled: int = 0

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the key columns, in the key's own order."""
        return tuple(column.name for column in sorted(self.columns, key=lambda column: column.key) if column.key)
