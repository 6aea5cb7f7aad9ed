"""Appends of a few rows: each transaction once, whoever comes first makes the table."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from fluvial.io.small_appends import COMPACTED_EVERY, append_rows, has_row, newest_transaction
from fluvial.io.transient import retry_transient
from tests.unit.io.lakes import at

COLUMNS = {"table": "VARCHAR", "batch_id": "BIGINT", "measured_at": "TIMESTAMPTZ"}
ROWS = [("items", 1, at(1)), ("items", 2, None)]


@pytest.fixture
def location(tmp_path: Path) -> str:
    """A place without a table."""
    return str(tmp_path / "lake" / "batches")


def stored(location: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in DeltaTable(location).to_pyarrow_table().to_pylist()]


def test_rows_come_back_as_they_were(location: str) -> None:
    append_rows(location, ROWS, COLUMNS)
    assert stored(location) == ROWS


def test_a_transaction_that_is_tried_again_writes_nothing(location: str) -> None:
    for version in (0, 1, 1, 0):
        append_rows(location, ROWS, COLUMNS, ("fluvial/q/batches", version))
    assert stored(location) == ROWS * 2
    assert newest_transaction(location, "fluvial/q/batches") == 1
    assert newest_transaction(location, "fluvial/other/batches") == -1


def test_a_new_column_is_empty_in_older_rows(location: str) -> None:
    append_rows(location, [("items", 1)], {"table": "VARCHAR", "batch_id": "BIGINT"})
    append_rows(location, ROWS, COLUMNS)
    assert sorted(stored(location), key=repr) == sorted([("items", 1, None), *ROWS], key=repr)


def test_writers_that_make_the_table_at_once_lose_no_row(location: str) -> None:
    def append(number: int) -> None:
        retry_transient(lambda: append_rows(location, [("items", number, None)], COLUMNS, (f"lane-{number}", 0)))

    with ThreadPoolExecutor(4) as lanes:
        list(lanes.map(append, range(4)))
    assert sorted(row[1] for row in stored(location)) == [0, 1, 2, 3]


def test_a_file_tells_its_bounds_in_time_and_no_others(location: str) -> None:
    append_rows(location, ROWS, COLUMNS)
    append_rows(location, ROWS, COLUMNS)
    (newest, _) = pa.table(DeltaTable(location).get_add_actions(flatten=True)).to_pylist()
    assert {name: value for name, value in newest.items() if name.startswith(("min.", "max."))} == {
        "min.measured_at": at(1),
        "max.measured_at": at(1),
    }


def test_a_row_is_found_by_its_values(location: str) -> None:
    assert not has_row(location, {"table": "items"})
    append_rows(location, ROWS, COLUMNS)
    assert has_row(location, {"table": "items", "batch_id": 2})
    assert not has_row(location, {"table": "items", "batch_id": 3})


def test_files_stay_few_however_many_appends_there_were(location: str) -> None:
    many = 2 * COMPACTED_EVERY
    for number in range(many):
        append_rows(location, [("items", number, None)], COLUMNS, ("fluvial/q/batches", number))
    assert len(DeltaTable(location).file_uris()) < 10
    assert sorted(row[1] for row in stored(location)) == list(range(many))
    assert newest_transaction(location, "fluvial/q/batches") == many - 1


def test_what_compaction_left_out_of_the_table_is_deleted_once_no_query_can_need_it(location: str) -> None:
    for number in range(COMPACTED_EVERY + 1):
        append_rows(location, [("items", number, None)], COLUMNS)
    table = DeltaTable(location)
    assert table.metadata().configuration["delta.deletedFileRetentionDuration"] == "interval 1 hour"
    assert table.vacuum(dry_run=True) == []
    assert len(table.vacuum(retention_hours=0, enforce_retention_duration=False)) == COMPACTED_EVERY + 1


def test_lanes_that_append_while_one_compacts_lose_no_row(location: str) -> None:
    append_rows(location, [("items", -1, None)], COLUMNS)

    def append(lane: int) -> None:
        for number in range(100):
            append_rows(location, [("items", 100 * lane + number, None)], COLUMNS, (f"lane-{lane}", number))

    with ThreadPoolExecutor(4) as lanes:
        list(lanes.map(append, range(4)))
    assert sorted(row[1] for row in stored(location)) == list(range(-1, 400))
    assert len(DeltaTable(location).file_uris()) < 401 - COMPACTED_EVERY + 30
