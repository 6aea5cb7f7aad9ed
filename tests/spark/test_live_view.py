"""At any moment the live view is what the history becomes once everything is settled, and what the fold says."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io import delta
from fluvial.io.commits import batch_note
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.query import open_lake
from fluvial.io.verify import verify_table
from tests.oracle.fold import Event, fold
from tests.spark.test_settle_against_the_fold import LOG, START, log_row, random_log
from tests.unit.io.lakes import use_case_of

KEYS, BATCHES = 150, 6
SETTLED_AFTER = (1, 2, 5)
"""Batches whose end a settle follows; one, two and three of them have gathered then."""


def use_case_with(*track_columns: str) -> UseCase:
    columns = [{"name": name, "type": kind} for name, kind in (("k1", "int"), ("k2", "string"), ("a", "int"))]
    schema = [*columns, {"name": "b", "type": "string"}]
    return use_case_of(
        {"name": "t", "primary_key": ["k1", "k2"], "schema": schema, "track_columns": list(track_columns)}
    )


def shown(use_case: UseCase, lake: Path, view: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT * EXCLUDE (_ingested_at) FROM {view} ORDER BY k1, k2, _sequence"
    return open_lake(use_case, lake, sql).execute(sql).fetchall()


def folded(log: list[Event], track_columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    versions = sorted(fold(log, track_columns), key=lambda version: (version.key, version.sequence))
    return [
        (*version.key, version.values["a"], version.values["b"], version.sequence, version.end_sequence)
        for version in versions
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "track_columns", "truncates", "most_broadcast"), [(11, (), 2, 0), (12, ("a",), 1, 200_000)]
)
def test_the_live_view_equals_the_fold_and_the_settled_history(
    spark: SparkSession,
    tmp_path: Path,
    seed: int,
    track_columns: tuple[str, ...],
    truncates: int,
    most_broadcast: int,
) -> None:
    """Whether the keys that a settle touches are sent to each task or too many for that."""
    random, use_case = Random(seed), use_case_with(*track_columns)
    table = use_case.tables[0]
    places = Locations(use_case, tmp_path).table(table)
    chosen = random_log(random, KEYS, truncates)
    random.shuffle(chosen)
    writer, log = HistoryWriter(spark, table, places, most_broadcast), list[Event]()
    for number in range(BATCHES):
        new = chosen[number::BATCHES]
        log += new
        rows = spark.createDataFrame([log_row(event) for event in new], LOG)
        delta.append(rows, places.log, properties=delta.log_properties(table), note=batch_note("q", number))
        live = shown(use_case, tmp_path, "t__live")
        assert [(*row[:5], row[9]) for row in live] == folded(log, track_columns), f"batch {number}"
        if number in SETTLED_AFTER:
            verdict = verify_table(use_case, tmp_path, table)
            assert (verdict.differences, verdict.unsettled_log_versions > 0) == ((), True)
            writer.settle()
            assert shown(use_case, tmp_path, "t") == live, f"batch {number}"
    assert shown(use_case, tmp_path, "t__live") == shown(use_case, tmp_path, "t")


def test_an_unsettled_row_has_the_time_it_came_in_until_it_is_settled(spark: SparkSession, tmp_path: Path) -> None:
    use_case = use_case_with()
    places = Locations(use_case, tmp_path).table(use_case.tables[0])
    event = Event((1, "x"), "0001", "INSERT", 5, {"a": 1, "b": "y"})
    delta.append(spark.createDataFrame([log_row(event)], LOG), places.log)
    sql = "SELECT k1, a, _is_current, _unresolved_columns, _ingested_at FROM t__live"
    assert open_lake(use_case, tmp_path, sql).execute(sql).fetchall() == [(1, 1, True, None, START)]
