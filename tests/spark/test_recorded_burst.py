"""A burst recorded from the real stack, shuffled and partly delivered twice, in micro-batches of 1, 7 and 1000."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io.events_file import Record, read_events, shuffle_events
from fluvial.io.replay import replay_events
from fluvial.io.verify import verify_table
from tests.campaign import IS_FULL, sized
from tests.spark.lake_rows import read_rows

SOME, ALL = "some", "all"
EXTENTS = (SOME, ALL) if IS_FULL else (SOME,)
"""Micro-batches of one record take a second or two each, and there are 322 records."""
TABLE, LAST = "alerts", 12
"""Some: the last so many records of this table, truncates and a violation among them."""
CHANGING = {"_ingested_at", "_quarantined_at", "_query_id", "_batch_id"}
"""What says when and by which query a row was written."""


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("seed", sized(1, 2), ids="seed{}".format)
@pytest.mark.parametrize("extent", EXTENTS)
def test_micro_batches_of_any_size_give_the_same_tables_and_verify_finds_no_difference(
    spark: SparkSession, pytestconfig: pytest.Config, tmp_path: Path, extent: str, seed: int
) -> None:
    use_case, recorded = recording(pytestconfig.rootpath, extent)
    burst, found = shuffle_events(recorded, seed), []
    for micro_batch in (1, 7, 1000):
        lake = tmp_path / f"lake-{micro_batch}"
        counts = replay_events(spark, use_case, lake, burst, micro_batch)
        assert sum(count.consumed for count in counts.values()) == len(burst)
        assert [verify_table(use_case, lake, table).total for table in use_case.tables] == [0] * len(use_case.tables)
        found.append(tables_of(use_case, lake))
    assert found[0] == found[1] == found[2]
    assert all(found[0][name] for name in (*(table.name for table in use_case.tables), f"{TABLE}__quarantine"))


def recording(root: Path, extent: str) -> tuple[UseCase, list[Record]]:
    """Tables, and what was recorded of them."""
    use_case = load_use_case(root / "config/vehicle-telemetry/tables.yaml", local_placeholders())
    records = list(read_events(root / "tests/data/recorded_changes.jsonl"))
    if extent == ALL:
        return use_case, records
    table = use_case.table(TABLE)
    mine = [record for record in records if record[2] == table.topic]
    return use_case.model_copy(update={"tables": (table,)}), mine[-LAST:]


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
