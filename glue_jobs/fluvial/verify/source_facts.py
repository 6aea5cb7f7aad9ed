"""What a running PostgreSQL says about itself and about the configured tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

COLUMN_TYPE: Final = (
    "case kind.typtype when 'd' then format_type(kind.typbasetype, kind.typtypmod) "
    "else format_type(attribute.atttypid, attribute.atttypmod) end"
)
"""SQL over a pg_attribute `attribute` and its pg_type `kind`. A domain is captured as the type that it is made of."""


@dataclass(frozen=True)
class SourceColumn:
    """`type` as PostgreSQL formats it; `key` is the place in the primary key from 1, 0 outside of it.

    The values of one that `is_generated` are in no change event.
    """

    type: str
    is_required: bool = False
    key: int = 0
    is_enum: bool = False
    is_generated: bool = False


@dataclass(frozen=True)
class SourceTable:
    """`identity` is `full`, `default`, `index` or `nothing`, the weakest where there are partitions.

    `is_readable` says so of the capturing role; `hides_rows` that row level security keeps rows from it. Tables that
    inherit from one that `is_inherited` are no partitions of it.
    """

    columns: Mapping[str, SourceColumn]
    identity: str = "full"
    is_readable: bool = True
    is_partitioned: bool = False
    hides_rows: bool = False
    is_inherited: bool = False
    is_unlogged: bool = False

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Its columns in their own order; empty where there is none."""
        places = sorted((column.key, name) for name, column in self.columns.items() if column.key)
        return tuple(name for _, name in places)


@dataclass(frozen=True)
class SourceFacts:
    """The server, the capturing role, and each configured table that exists."""

    wal_level: str = "logical"
    free_slots: int = 1
    role: str = "cdc"
    may_replicate: bool = True
    tables: Mapping[str, SourceTable] = field(default_factory=dict)
    similar: tuple[str, ...] = ()
    """Tables of the same schema that nobody configured."""
