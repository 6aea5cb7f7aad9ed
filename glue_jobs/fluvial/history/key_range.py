"""Which keys some rows may have, told by the statistics of their files, so that files with other keys are left unread.

Keys that grow with time, as those of telemetry and of numbered orders do, are changed near each other, and the versions
that are open lie in the order in which they came. So a settle reads few of many files.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from fluvial.config.model import Table
from fluvial.config.types import EXACT_DIGITS, INTEGER_TYPES, decimal_size

Value = int | Decimal | str | date | datetime
Bounds = tuple[Any, Any]
"""The lowest and the highest value of a column, both of the same type."""


@dataclass(frozen=True)
class KeyRange:
    """Bounds by key column; a column that isn't told may have any value."""

    bounds: Mapping[str, Bounds] = field(default_factory=dict)

    def meets(self, other: "KeyRange") -> bool:
        """Whether a key may lie in both."""
        shared = self.bounds.keys() & other.bounds.keys()
        return all(_meet(self.bounds[name], other.bounds[name]) for name in shared)

    def extended(self, other: "KeyRange") -> "KeyRange":
        """The range of the rows of both."""
        shared = self.bounds.keys() & other.bounds.keys()
        return KeyRange({name: _hull(self.bounds[name], other.bounds[name]) for name in shared})


ANY_KEY: Final = KeyRange()


def read_statistics(text: str | None) -> dict[str, Any]:
    """What Delta keeps of one file; decimals with all their digits."""
    read: dict[str, Any] = json.loads(text, parse_float=Decimal) if text else {}
    return read


def read_key_range(statistics: str | None, table: Table) -> KeyRange:
    """Of the rows of one file, by the statistics that Delta keeps of it."""
    return key_range(read_statistics(statistics), table)


def key_range(statistics: Mapping[str, Any], table: Table) -> KeyRange:
    """The same by what was read of them."""
    lowest, highest = statistics.get("minValues", {}), statistics.get("maxValues", {})
    types = {name: table.column(name).type for name in table.primary_key}
    bounds = {name: (_value(kind, lowest.get(name)), _value(kind, highest.get(name))) for name, kind in types.items()}
    return KeyRange({name: both for name, both in bounds.items() if None not in both})


def read_key_ranges(statistics: Iterable[str | None], table: Table) -> KeyRange:
    """Of the rows of some files."""
    ranges = [read_key_range(each, table) for each in statistics]
    return reduce(KeyRange.extended, ranges) if ranges else ANY_KEY


def _meet(one: Bounds, other: Bounds) -> bool:
    return bool(one[0] <= other[1] and other[0] <= one[1])


def _hull(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), max(one[1], other[1])


def _value(kind: str, told: Any) -> Value | None:
    """None for what isn't told, and for types whose order Delta's statistics don't keep or Python can't."""
    if kind in INTEGER_TYPES:
        return told if isinstance(told, int) else None
    if kind.startswith("decimal"):
        is_exact = decimal_size(kind)[0] <= EXACT_DIGITS  # other writers than Delta round longer ones
        return told if is_exact and isinstance(told, int | Decimal) else None
    if not isinstance(told, str):
        return None
    return told if kind == "string" else _moment(kind, told)


def _moment(kind: str, told: str) -> date | datetime | None:
    """Times cut to the millisecond, as Delta cuts them and others may not: cut alike, they still keep their order."""
    try:
        if kind == "date":
            return date.fromisoformat(told)
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    cut = moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
    return cut if kind == "timestamp" and cut.tzinfo is not None else None
