"""The live view over lakes that delta-rs wrote; that it equals a settle is proven in tests/spark."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import CommitProperties, DeltaTable

from fluvial.io.live_view import read_live_state
from fluvial.io.query import open_lake, run_query
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, VEHICLES, at, places_of, use_case_of, write_rows

USE_CASE = use_case_of()


def event(key: int | None, second: int, plate: str | None = None, operation: str = "UPDATE") -> dict[str, Any]:
    place = {"_sequence": f"0001.1.{second:02}", "_commit_time": at(second), "_ingested_at": at(50 + second)}
    return {"id": key, "plate": plate, "_operation": operation, "_is_quarantined": False, "_payload_hash": 0, **place}


def version(key: int, second: int, plate: str) -> dict[str, Any]:
    row = event(key, second, plate, "INSERT") | {"_effective_from": at(second), "_is_current": True}
    return {name: value for name, value in row.items() if name in HISTORY_SCHEMA.names}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two settled keys."""
    places = places_of(USE_CASE, tmp_path, "vehicles")
    write_rows(places.log, [event(1, 1, "A", "INSERT"), event(2, 2, "B", "INSERT")], LOG_SCHEMA)
    note = f"fluvial.settledLogVersion={DeltaTable(places.log).metadata().id}@0"
    properties = CommitProperties(custom_metadata={"userMetadata": note})
    rows = [version(1, 1, "A") | {"price": Decimal("9.5")}, version(2, 2, "B")]
    write_rows(places.history, rows, HISTORY_SCHEMA, partition_by=["_is_current"], commit_properties=properties)
    return tmp_path


def log(lake: Path, *events: dict[str, Any]) -> None:
    write_rows(places_of(USE_CASE, lake, "vehicles").log, list(events), LOG_SCHEMA, mode="append")


def live(lake: Path, columns: str = "id, plate, _is_current") -> list[tuple[Any, ...]]:
    sql = f"SELECT {columns} FROM vehicles__live ORDER BY id, _sequence"
    return [tuple(row.values()) for row in run_query(open_lake(USE_CASE, lake, sql), sql).to_pylist()]


def test_where_nothing_waits_the_live_view_is_the_history(lake: Path) -> None:
    state = read_live_state(places_of(USE_CASE, lake, "vehicles"))
    assert (state.unsettled, state.settled) == (None, 0)
    assert live(lake) == [(1, "A", True), (2, "B", True)]


def test_an_update_that_waits_closes_a_version_and_opens_another(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    assert live(lake) == [(1, "A", False), (1, "C", True), (2, "B", True)]


def test_a_renamed_column_has_the_name_of_the_lake(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    columns = [column | {"name": "number"} if column["name"] == "plate" else column for column in VEHICLES["schema"]]
    rename = {"type": "rename", "column": "number", "params": {"new_name": "plate"}}
    fleet = use_case_of(VEHICLES | {"schema": columns, "transforms": [rename]})
    sql = "SELECT plate FROM vehicles__live WHERE _is_current ORDER BY id"
    assert run_query(open_lake(fleet, lake, sql), sql).to_pylist() == [{"plate": "C"}, {"plate": "B"}]


def test_a_late_event_goes_where_it_belongs(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    log(lake, event(1, 3, "late"))
    assert live(lake) == [(1, "A", False), (1, "late", False), (1, "C", True), (2, "B", True)]


def test_a_truncate_that_waits_closes_every_key(lake: Path) -> None:
    log(lake, event(None, 5, None, "TRUNCATE"))
    assert live(lake) == [(1, "A", False), (2, "B", False)]


def test_a_gap_marker_that_waits_makes_a_version_uncertain(lake: Path) -> None:
    log(lake, event(1, 5) | {"_is_quarantined": True})
    assert live(lake, "id, _uncertain_since") == [(1, "0001.1.05"), (2, None)]


def test_a_version_keeps_the_time_it_was_ingested_and_a_new_one_has_that_of_its_event(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    assert live(lake, "id, _ingested_at") == [(1, at(51)), (1, at(55)), (2, at(52))]


def test_before_the_first_settle_the_live_view_is_derived_from_the_log_alone(tmp_path: Path) -> None:
    log(tmp_path, event(1, 1, "A", "INSERT"), event(1, 2, None, "DELETE"))
    assert live(tmp_path) == [(1, "A", False)]


def test_before_anything_is_captured_the_live_view_is_empty(tmp_path: Path) -> None:
    assert live(tmp_path) == []


def test_files_that_were_only_compacted_are_taken_for_unsettled_and_change_nothing(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    DeltaTable(places_of(USE_CASE, lake, "vehicles").log).optimize.compact()
    assert live(lake) == [(1, "A", False), (1, "C", True), (2, "B", True)]


def test_a_log_whose_settled_version_is_cleaned_up_is_derived_as_a_whole(lake: Path) -> None:
    log(lake, event(1, 5, "C"))
    places = places_of(USE_CASE, lake, "vehicles")
    DeltaTable(places.log).create_checkpoint()
    (Path(places.log) / "_delta_log" / f"{0:020}.json").unlink()
    assert live(lake) == [(1, "A", False), (1, "C", True), (2, "B", True)]


def test_a_column_that_only_the_history_has_keeps_its_values(lake: Path) -> None:
    columns = [{"name": "id", "type": "int"}, {"name": "plate", "type": "string"}]
    narrow = use_case_of({"name": "vehicles", "primary_key": "id", "schema": columns})
    log(lake, event(1, 5, "C"))
    sql = "SELECT plate, price FROM vehicles__live ORDER BY id, _sequence"
    rows = run_query(open_lake(narrow, lake, sql), sql).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("A", Decimal("9.5")), ("C", None), ("B", None)]
