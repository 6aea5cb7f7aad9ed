from pathlib import Path
from typing import Any

import pytest
from deltalake import CommitProperties, DeltaTable

from fluvial.errors import StorageError
from fluvial.io.verify import Difference, Verdict, verify_table
from tests.unit.io.lakes import BATCHES_SCHEMA, HISTORY_SCHEMA, LOG_SCHEMA, at, places_of, use_case_of, write_rows

USE_CASE = use_case_of()
TABLE = USE_CASE.tables[0]
LOG: list[dict[str, Any]] = [
    {"id": 1, "plate": "A", "_sequence": "0001.1.05", "_operation": "INSERT", "_commit_time": at(5)},
    {"id": 1, "plate": "B", "_sequence": "0001.1.07", "_operation": "UPDATE", "_commit_time": at(7)},
    {"id": 2, "plate": "Z", "_sequence": "0001.1.08", "_operation": "INSERT", "_commit_time": at(8)},
]
HISTORY: list[dict[str, Any]] = [
    {"id": 1, "plate": "A", "_sequence": "0001.1.05", "_operation": "INSERT", "_effective_from": at(5)}
    | {"_effective_to": at(7), "_is_current": False, "_end_sequence": "0001.1.07"},
    {"id": 1, "plate": "B", "_sequence": "0001.1.07", "_operation": "UPDATE", "_effective_from": at(7)}
    | {"_is_current": True},
    {"id": 2, "plate": "Z", "_sequence": "0001.1.08", "_operation": "INSERT", "_effective_from": at(8)}
    | {"_is_current": True, "_unresolved_columns": []},
]


def log_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_is_quarantined": False, "_payload_hash": 0, **row} for row in rows]


def write_lake(lake: Path, history: list[dict[str, Any]] = HISTORY, **options: Any) -> None:
    places = places_of(USE_CASE, lake, "vehicles")
    write_rows(places.log, log_rows(LOG), LOG_SCHEMA)
    write_rows(places.history, history, HISTORY_SCHEMA, partition_by=["_is_current"], **options)


def check(lake: Path, **options: Any) -> Verdict:
    return verify_table(USE_CASE, lake, TABLE, **options)


def with_change(index: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**row, **changes} if number == index else row for number, row in enumerate(HISTORY)]


def test_a_history_that_equals_its_log_has_no_difference(tmp_path: Path) -> None:
    write_lake(tmp_path)
    assert check(tmp_path) == Verdict("vehicles", 3, 3, 0, 0, 0, 0, ())


def test_nothing_captured_yet_is_no_difference(tmp_path: Path) -> None:
    assert check(tmp_path).is_same


def test_the_processing_time_isnt_compared(tmp_path: Path) -> None:
    write_lake(tmp_path, with_change(0, _ingested_at=at(59)))
    assert check(tmp_path).is_same


def test_a_wrong_value_is_named_with_key_sequence_and_column(tmp_path: Path) -> None:
    write_lake(tmp_path, with_change(2, plate="Y"))
    assert check(tmp_path).differences == (Difference("id=2", "0001.1.08", "plate", "Z", "Y"),)


def test_a_missing_version_is_listed(tmp_path: Path) -> None:
    write_lake(tmp_path, HISTORY[:2])
    assert check(tmp_path).differences == (Difference("id=2", "0001.1.08", "*", "a version", None),)


def test_a_version_from_nowhere_is_listed(tmp_path: Path) -> None:
    write_lake(tmp_path, [*HISTORY, {**HISTORY[2], "id": 3}])
    assert check(tmp_path).differences == (Difference("id=3", "0001.1.08", "*", None, "a version"),)


def test_a_version_written_twice_breaks_three_invariants(tmp_path: Path) -> None:
    write_lake(tmp_path, [*HISTORY, HISTORY[2]])
    assert [difference.column for difference in check(tmp_path).differences] == [
        "_is_current",
        "_sequence",
        "_effective_to",
    ]


def test_overlapping_versions_are_found(tmp_path: Path) -> None:
    write_lake(tmp_path, with_change(0, _effective_to=at(9)))
    assert (
        Difference("id=1", "0001.1.05", "_effective_to", "not after 2026-11-21 08:00:07+00", "2026-11-21 08:00:09+00")
        in check(tmp_path).differences
    )


def test_an_event_logged_twice_is_found(tmp_path: Path) -> None:
    places = places_of(USE_CASE, tmp_path, "vehicles")
    write_rows(places.log, log_rows([*LOG, LOG[2]]), LOG_SCHEMA)
    write_rows(places.history, HISTORY, HISTORY_SCHEMA, partition_by=["_is_current"])
    assert check(tmp_path).differences == (Difference("id=2", "0001.1.08", "_offset", "logged once", "2"),)


def test_the_list_is_cut_at_the_limit_and_the_total_is_not(tmp_path: Path) -> None:
    write_lake(tmp_path, [])
    verdict = check(tmp_path, limit=2)
    assert (verdict.total, len(verdict.differences)) == (3, 2)


def test_a_batch_that_loses_records_is_found(tmp_path: Path) -> None:
    write_lake(tmp_path)
    places = ("log_rows", "quarantined", "dead_letters", "control_messages", "tombstones", "duplicates")
    counts = dict.fromkeys(places, 1)
    batch = {"table": "vehicles", "query_id": "q", "batch_id": 4, "consumed": 7, **counts}
    write_rows(str(tmp_path / "lake" / "batches"), [batch, {**batch, "consumed": 6}], BATCHES_SCHEMA)
    assert check(tmp_path).differences == (Difference("q batch 4", "", "consumed", "6", "7"),)


def append_to_log(lake: Path) -> None:
    late = {"id": 9, "plate": "N", "_sequence": "0001.1.09", "_operation": "INSERT", "_commit_time": at(9)}
    write_rows(places_of(USE_CASE, lake, "vehicles").log, log_rows([late]), LOG_SCHEMA, mode="append")


def test_log_rows_that_came_after_the_last_settle_are_told_apart(tmp_path: Path) -> None:
    places = places_of(USE_CASE, tmp_path, "vehicles")
    write_rows(places.log, log_rows(LOG), LOG_SCHEMA)
    note = f"fluvial.settledLogVersion={DeltaTable(places.log).metadata().id}@0"
    properties = CommitProperties(custom_metadata={"userMetadata": note})
    write_rows(places.history, HISTORY, HISTORY_SCHEMA, partition_by=["_is_current"], commit_properties=properties)
    append_to_log(tmp_path)
    verdict = check(tmp_path)
    assert (verdict.is_same, verdict.unsettled_log_versions, verdict.log_rows, verdict.log_version) == (True, 1, 3, 1)


def test_before_the_first_settle_nothing_is_missing_yet(tmp_path: Path) -> None:
    write_rows(places_of(USE_CASE, tmp_path, "vehicles").log, log_rows(LOG), LOG_SCHEMA)
    append_to_log(tmp_path)
    assert check(tmp_path) == Verdict("vehicles", 0, 0, 1, 2, 0, 0, ())


def test_a_wrong_history_is_found_while_rows_wait(tmp_path: Path) -> None:
    places = places_of(USE_CASE, tmp_path, "vehicles")
    write_rows(places.log, log_rows(LOG), LOG_SCHEMA)
    note = f"fluvial.settledLogVersion={DeltaTable(places.log).metadata().id}@0"
    options = {"commit_properties": CommitProperties(custom_metadata={"userMetadata": note})}
    write_rows(places.history, with_change(2, plate="Y"), HISTORY_SCHEMA, partition_by=["_is_current"], **options)
    append_to_log(tmp_path)
    assert check(tmp_path).differences == (
        Difference("id=2", "0001.1.08", "plate", "Z", "Y"),
        Difference("id=2", "0001.1.08", "__live.plate", "Z", "Y"),
    )


def test_without_a_note_unsettled_log_rows_are_differences(tmp_path: Path) -> None:
    write_lake(tmp_path)
    append_to_log(tmp_path)
    assert check(tmp_path).total == 1


def test_a_history_without_its_log_cant_be_checked(tmp_path: Path) -> None:
    write_rows(places_of(USE_CASE, tmp_path, "vehicles").history, HISTORY, HISTORY_SCHEMA)
    with pytest.raises(StorageError, match="a history without a log"):
        check(tmp_path)


def test_positions_that_two_payloads_claim_are_counted(tmp_path: Path) -> None:
    write_lake(tmp_path)
    loser = {**LOG[1], "plate": "C", "_payload_hash": -1}
    write_rows(places_of(USE_CASE, tmp_path, "vehicles").log, log_rows([loser]), LOG_SCHEMA, mode="append")
    assert check(tmp_path).sequence_conflicts == 1
