"""The key of one row as a person types it: `17`, `VH-1,2026-01-01T00:00:00Z` or `vehicle_id=VH-1,recorded_at=...`."""

import csv

from fluvial.config.model import Table
from fluvial.errors import QueryError


def parse_key(text: str, table: Table) -> dict[str, str]:
    """Texts by key column; raises QueryError. A value with a comma is written in double quotes."""
    names = table.primary_key
    parts = [text] if len(names) == 1 else next(csv.reader([text], skipinitialspace=True), [])
    if len(parts) != len(names):
        raise QueryError(f"{table.name}: {len(parts)} values for a key of {len(names)} columns", key_shape(table))
    named = [part.partition("=") for part in parts]
    if all(equals and name.strip() in names for name, equals, _ in named):
        return _by_name({name.strip(): value for name, _, value in named}, table)
    return dict(zip(names, parts, strict=True))


def key_shape(table: Table) -> str:
    """What a key of the table looks like, as a hint."""
    names = table.primary_key
    return f"write it as {','.join(f'<{name}>' for name in names)} or {','.join(f'{name}=<value>' for name in names)}"


def _by_name(found: dict[str, str], table: Table) -> dict[str, str]:
    if missing := [name for name in table.primary_key if name not in found]:
        raise QueryError(f"{table.name}: the key lacks {', '.join(missing)}", key_shape(table))
    return {name: found[name] for name in table.primary_key}
