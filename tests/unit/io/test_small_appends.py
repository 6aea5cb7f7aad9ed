"""Appends of a few rows: each transaction once, whoever comes first makes the table."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from fluvial.io.small_appends import COMPACTED_EVERY, SmallTable
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
    SmallTable(location).append(ROWS, COLUMNS)
    assert stored(location) == ROWS


def test_a_transaction_that_is_tried_again_writes_nothing(location: str) -> None:
    for version in (0, 1, 1, 0):
        SmallTable(location).append(ROWS, COLUMNS, ("fluvial/q/batches", version))
    assert stored(location) == ROWS * 2
    assert SmallTable(location).newest_transaction("fluvial/q/batches") == 1
    assert SmallTable(location).newest_transaction("fluvial/other/batches") == -1


def test_a_new_column_is_empty_in_older_rows(location: str) -> None:
    SmallTable(location).append([("items", 1)], {"table": "VARCHAR", "batch_id": "BIGINT"})
    SmallTable(location).append(ROWS, COLUMNS)
    assert sorted(stored(location), key=repr) == sorted([("items", 1, None), *ROWS], key=repr)


def test_what_others_append_to_a_table_that_stays_open_is_known(location: str) -> None:
    table, other = SmallTable(location), SmallTable(location)
    for number in range(30):
        for each in (table, other):
            each.append([("items", number, None)], COLUMNS, ("fluvial/q/batches", number))
    assert sorted(row[1] for row in stored(location)) == list(range(30))


def test_a_table_that_stays_open_is_appended_to_after_others_cleaned_the_commits_since_up(location: str) -> None:
    table, other = SmallTable(location), SmallTable(location)
    table.append([("items", 0, None)], COLUMNS)
    for number in range(1, 35):
        other.append([("items", number, None)], COLUMNS)
    for commit in range(30):
        (Path(location) / "_delta_log" / f"{commit:020}.json").unlink()
    table.append([("items", 35, None)], COLUMNS)
    assert sorted(row[1] for row in stored(location)) == list(range(36))


@pytest.mark.parametrize("again", [0, 2, 9])
def test_a_table_that_stays_open_may_be_deleted_and_made_again_meanwhile(location: str, again: int) -> None:
    table = SmallTable(location)
    for _ in range(5):
        table.append(ROWS, COLUMNS)
    shutil.rmtree(location)
    for _ in range(again):
        SmallTable(location).append(ROWS, COLUMNS)
    table.append(ROWS, COLUMNS)
    assert stored(location) == ROWS * (again + 1)
    assert DeltaTable(location).version() == again


def test_writers_that_make_the_table_at_once_lose_no_row(location: str) -> None:
    def append(number: int) -> None:
        retry_transient(lambda: SmallTable(location).append([("items", number, None)], COLUMNS, (f"lane-{number}", 0)))

    with ThreadPoolExecutor(4) as lanes:
        list(lanes.map(append, range(4)))
    assert sorted(row[1] for row in stored(location)) == [0, 1, 2, 3]


def test_a_file_tells_its_bounds_in_time_and_no_others(location: str) -> None:
    SmallTable(location).append(ROWS, COLUMNS)
    SmallTable(location).append(ROWS, COLUMNS)
    (newest, _) = pa.table(DeltaTable(location).get_add_actions(flatten=True)).to_pylist()
    assert {name: value for name, value in newest.items() if name.startswith(("min.", "max."))} == {
        "min.measured_at": at(1),
        "max.measured_at": at(1),
    }


def test_a_table_that_has_the_columns_takes_a_file_of_them_without_a_query(location: str) -> None:
    table = SmallTable(location)
    for _ in range(3):
        table.append(ROWS, COLUMNS)
    assert stored(location) == ROWS * 3
    writers = [pq.read_metadata(uri).created_by for uri in DeltaTable(location).file_uris()]
    assert [writer.partition(" ")[0] for writer in writers] == ["parquet-cpp-arrow", "parquet-cpp-arrow", "delta-rs"]


def test_a_row_is_found_by_its_values(location: str) -> None:
    assert not SmallTable(location).has_row({"table": "items"})
    SmallTable(location).append(ROWS, COLUMNS)
    assert SmallTable(location).has_row({"table": "items", "batch_id": 2})
    assert not SmallTable(location).has_row({"table": "items", "batch_id": 3})


def test_files_stay_few_however_many_appends_there_were(location: str) -> None:
    many, table = 2 * COMPACTED_EVERY, SmallTable(location)
    for number in range(many):
        table.append([("items", number, None)], COLUMNS, ("fluvial/q/batches", number))
    assert len(DeltaTable(location).file_uris()) < 10
    assert sorted(row[1] for row in stored(location)) == list(range(many))
    assert SmallTable(location).newest_transaction("fluvial/q/batches") == many - 1


def test_what_compaction_left_out_of_the_table_is_deleted_once_no_query_can_need_it(location: str) -> None:
    for number in range(COMPACTED_EVERY + 1):
        SmallTable(location).append([("items", number, None)], COLUMNS)
    table = DeltaTable(location)
    assert table.metadata().configuration["delta.deletedFileRetentionDuration"] == "interval 1 hour"
    assert table.vacuum(dry_run=True) == []
    assert len(table.vacuum(retention_hours=0, enforce_retention_duration=False)) == COMPACTED_EVERY + 1


def test_lanes_that_append_while_one_compacts_lose_no_row(location: str) -> None:
    SmallTable(location).append([("items", -1, None)], COLUMNS)

    def append(lane: int) -> None:
        table = SmallTable(location)
        for number in range(100):
            rows = [("items", 100 * lane + number, None)]
            retry_transient(partial(table.append, rows, COLUMNS, (f"lane-{lane}", number)))

    with ThreadPoolExecutor(4) as lanes:
        list(lanes.map(append, range(4)))
    assert sorted(row[1] for row in stored(location)) == list(range(-1, 400))
    assert len(DeltaTable(location).file_uris()) < 401 - COMPACTED_EVERY + 30
