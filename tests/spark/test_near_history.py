"""Which files of a history a settle reads: those that may hold a key that its range touches."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.model import Table
from fluvial.history.key_range import ANY_KEY, KeyRange
from fluvial.history.range_bounds import Keyless, RangeBounds
from fluvial.io import delta
from fluvial.io.delta_rewrite import Committed, Rewrite
from fluvial.io.near_history import NearHistory

KINDS = {
    "n": "bigint",
    "s": "string",
    "d": "decimal(12,2)",
    "day": "date",
    "at": "timestamp",
    "f": "double",
}
FILES: list[tuple[Any, ...]] = [
    (number, text, Decimal(number), date(2026, 1, number), datetime(2026, 1, 1, 0, 0, number, 500, UTC), float(number))
    for number, text in enumerate(("a" * 40, "b" * 40, "c" * 40), 1)
]
"""One row for each file."""


@pytest.fixture(scope="module")
def history(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three files with an open version each, and one with a version that ended long before."""
    path = str(tmp_path_factory.mktemp("near") / "history")
    schema = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    for row, end in [*((row, None) for row in FILES), (FILES[1], "0001")]:
        frame = spark.createDataFrame([(*row, end)], f"{schema}, _end_sequence string")
        delta.append(frame.coalesce(1), path)
    return path


def table_of(*key: str) -> Table:
    columns = [{"name": name, "type": kind} for name, kind in KINDS.items()]
    return Table.model_validate({"name": "t", "primary_key": list(key), "schema": columns})


def begin(spark: SparkSession, path: str) -> Rewrite:
    seen = delta.snapshot(spark, path)
    assert seen is not None
    return Rewrite(spark, path, seen)


def numbers_read(near: NearHistory, path: str, keys: KeyRange, keyless: Keyless | None = None) -> list[int]:
    bounds = RangeBounds("0005", 0, keyless, keyless, log_has_partial=False, keys=keys)
    return sorted(row["n"] for row in near.read(begin(near.session, path), bounds).collect())


@pytest.mark.parametrize("most", [10_000, 2], ids=["remembered", "asked for"])
@pytest.mark.parametrize(
    ("name", "below", "of_second", "above"),
    [
        ("n", 0, 2, 4),
        ("s", "a", "b" * 40, "d"),
        ("d", Decimal("0.5"), Decimal("2.00"), Decimal("3.5")),
        ("day", date(1, 1, 1), date(2026, 1, 2), date(9999, 12, 31)),
        (
            "at",
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_files_with_other_keys_are_left_unread(
    spark: SparkSession, history: str, most: int, name: str, below: Any, of_second: Any, above: Any
) -> None:
    near = NearHistory(spark, table_of(name), most)
    assert numbers_read(near, history, KeyRange({name: (of_second, of_second)})) == [2]
    assert numbers_read(near, history, KeyRange({name: (of_second, above)})) == [2, 3]
    assert numbers_read(near, history, KeyRange({name: (below, of_second)})) == [1, 2]
    assert numbers_read(near, history, KeyRange({name: (above, above)})) == []


@pytest.mark.parametrize("most", [10_000, 2], ids=["remembered", "asked for"])
def test_of_a_composite_key_each_column_tells(spark: SparkSession, history: str, most: int) -> None:
    near = NearHistory(spark, table_of("n", "day", "f"), most)
    days = (date(2026, 1, 1), date(2026, 1, 2))
    assert numbers_read(near, history, KeyRange({"n": (2, 3), "day": days})) == [2]
    assert numbers_read(near, history, KeyRange({"day": days})) == [1, 2]


@pytest.mark.parametrize("most", [10_000, 2], ids=["remembered", "asked for"])
def test_a_keyless_row_touches_every_key(spark: SparkSession, history: str, most: int) -> None:
    near = NearHistory(spark, table_of("n"), most)
    assert numbers_read(near, history, KeyRange({"n": (2, 2)}), Keyless("0006", 1)) == [1, 2, 3]
    assert numbers_read(near, history, ANY_KEY) == [1, 2, 3]


@pytest.mark.parametrize(("later", "are_known"), [(1, True), (2, False)])
def test_files_are_remembered_only_while_nobody_else_commits(
    spark: SparkSession, history: str, later: int, are_known: bool
) -> None:
    near, begun = NearHistory(spark, table_of("n")), begin(spark, history)
    near.read(begun, RangeBounds("0005", 0, None, None, log_has_partial=False))
    near.keep(Committed(begun.table.version + later), ())
    assert near.knows(replace(begun.table, version=begun.table.version + later), "0005") is are_known
