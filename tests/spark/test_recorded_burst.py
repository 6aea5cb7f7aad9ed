"""A burst recorded from the real stack, shuffled and partly delivered twice, in micro-batches of 1, 7 and 1000."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io.replay import replay_events
from fluvial.io.verify import verify_table
from tests.campaign import IS_FULL, sized
from tests.spark.lake_rows import read_rows

RECORDS = None if IS_FULL else 24
"""Micro-batches of one record take a second each: CI takes some of the 322."""
CHANGING = {"_ingested_at", "_quarantined_at", "_query_id", "_batch_id"}
"""What says when and by which query a row was written."""


@pytest.fixture(scope="module")
def use_case(pytestconfig: pytest.Config) -> UseCase:
    return load_use_case(pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml", local_placeholders())


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("seed", sized(1, 2))
def test_micro_batches_of_any_size_give_the_same_tables_and_verify_finds_no_difference(
    spark: SparkSession, use_case: UseCase, pytestconfig: pytest.Config, tmp_path: Path, seed: int
) -> None:
    burst = delivered(pytestconfig.rootpath / "tests/data/recorded_changes.jsonl", Random(seed))
    found = []
    for micro_batch in (1, 7, 1000):
        lake, events = tmp_path / f"lake-{micro_batch}", tmp_path / f"{micro_batch}.jsonl"
        events.write_text("\n".join(burst))
        counts = replay_events(spark, use_case, lake, events, micro_batch)
        assert sum(count.consumed for count in counts.values()) == len(burst)
        assert {table.name: verify_table(use_case, lake, table).total for table in use_case.tables} == dict.fromkeys(
            (table.name for table in use_case.tables), 0
        )
        found.append(tables_of(use_case, lake))
    assert found[0] == found[1] == found[2]
    assert len(found[0]["vehicles"]) > 0


def delivered(recording: Path, random: Random) -> list[str]:
    """Lines of the recording in another order, a quarter of them twice."""
    lines = recording.read_text().splitlines()
    chosen = random.sample(lines, RECORDS or len(lines))
    burst = chosen + random.sample(chosen, len(chosen) // 4)
    random.shuffle(burst)
    return burst


def tables_of(use_case: UseCase, lake: Path) -> dict[str, list[str]]:
    """History, log and quarantine of every table."""
    found = {}
    for table in use_case.tables:
        places = Locations(use_case, lake).table(table)
        found[table.name] = comparable(read_rows(places.history))
        found[f"{table.name}__log"] = comparable(read_rows(places.log))
        found[f"{table.name}__quarantine"] = comparable(read_rows(places.quarantine))
    return found


def comparable(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str({name: value for name, value in row.items() if name not in CHANGING}) for row in rows)
