"""Which keys the rows of a file may have, by the statistics that Delta keeps of it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from fluvial.config.model import Table
from fluvial.history.key_range import ANY_KEY, KeyRange, read_key_range, read_key_ranges


def table_of(**types: str) -> Table:
    columns = [{"name": name, "type": kind} for name, kind in types.items()]
    return Table.model_validate({"name": "t", "primary_key": list(types), "schema": columns})


def told(low: Any, high: Any, name: str = "id") -> str:
    return json.dumps({"numRecords": 9, "minValues": {name: low, "other": 1}, "maxValues": {name: high}})


@pytest.mark.parametrize(
    ("kind", "low", "high", "lowest", "highest"),
    [
        ("bigint", 1, 9_007_199_254_740_993, 1, 9_007_199_254_740_993),
        ("string", "é", "V-9", "é", "V-9"),
        ("decimal(15,2)", 1, 1234567890123.25, Decimal(1), Decimal("1234567890123.25")),
        ("date", "0001-01-01", "2026-02-03", date(1, 1, 1), date(2026, 2, 3)),
        (
            "timestamp",
            "2026-01-01T01:00:00.000+01:00",
            "2026-01-01T00:00:00.123456Z",
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 0, 0, 0, 123_000, UTC),
        ),
    ],
)
def test_statistics_are_read_by_the_type_of_the_key(kind: str, low: Any, high: Any, lowest: Any, highest: Any) -> None:
    assert read_key_range(told(low, high), table_of(id=kind)).bounds == {"id": (lowest, highest)}


@pytest.mark.parametrize(
    ("kind", "statistics"),
    [
        ("bigint", None),
        ("bigint", ""),
        ("bigint", "{}"),
        ("bigint", told("1", "2")),
        ("bigint", json.dumps({"minValues": {"id": 1}, "maxValues": {}})),
        ("decimal(16,2)", told(1.5, 2.5)),
        ("double", told(1.5, 2.5)),
        ("boolean", told(False, True)),
        ("binary", told("00", "ff")),
        ("string", told(1, 2)),
        ("date", told("2026-01-01", "+10000-01-01")),
        ("timestamp", told("2026-01-01T00:00:00.000", "2026-01-02T00:00:00.000")),
        ("timestamp", told("2026-01-01T00:00:00.000Z", "+10000-01-01T00:00:00.000Z")),
    ],
)
def test_what_statistics_don_t_tell_in_order_may_be_any_key(kind: str, statistics: str | None) -> None:
    assert read_key_range(statistics, table_of(id=kind)) == ANY_KEY


def test_ranges_meet_where_every_column_that_both_tell_does() -> None:
    some = KeyRange({"id": (10, 20), "day": (date(2026, 1, 1), date(2026, 1, 2))})
    assert some.meets(ANY_KEY)
    assert some.meets(KeyRange({"id": (20, 30)}))
    assert some.meets(KeyRange({"id": (0, 10)}))
    assert some.meets(KeyRange({"id": (12, 13)}))
    assert not some.meets(KeyRange({"id": (21, 30)}))
    assert not some.meets(KeyRange({"id": (0, 9)}))
    assert not some.meets(KeyRange({"id": (10, 20), "day": (date(2026, 1, 3), date(2026, 1, 3))}))


def test_times_of_one_millisecond_meet_whoever_cut_them() -> None:
    table = table_of(at="timestamp")
    delta = read_key_range(told("2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z", "at"), table)
    other = read_key_range(told("2026-01-01T00:00:00.123999Z", "2026-01-01T00:00:00.123999Z", "at"), table)
    later = read_key_range(told("2026-01-01T00:00:00.124Z", "2026-01-01T00:00:00.124Z", "at"), table)
    assert delta.meets(other)
    assert other.meets(delta)
    assert not delta.meets(later)


def test_of_several_files_it_is_what_all_tell() -> None:
    table = table_of(id="bigint", name="string")
    both = '{"minValues": {"id": 5, "name": "b"}, "maxValues": {"id": 7, "name": "d"}}'
    assert read_key_ranges([both, told(1, 6)], table) == KeyRange({"id": (1, 7)})
    assert read_key_ranges([both, None], table) == ANY_KEY
    assert read_key_ranges([], table) == ANY_KEY
