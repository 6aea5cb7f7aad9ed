"""The story of one row, out of small lakes; rows of history and log are those that the contract asks for."""

from pathlib import Path
from typing import Any

import pytest

from fluvial.errors import QueryError
from fluvial.io.explain import Story, explain_row
from tests.unit.io.lakes import (
    HISTORY_SCHEMA,
    LOG_SCHEMA,
    QUARANTINE_SCHEMA,
    VEHICLES,
    at,
    places_of,
    use_case_of,
    write_rows,
)

USE_CASE = use_case_of()


def event(lsn: int, operation: str, **changes: Any) -> dict[str, Any]:
    key = {} if operation in {"TRUNCATE", "SNAPSHOT"} else {"id": 1}
    place = {"_topic": "cdc-vehicles", "_partition": 0, "_offset": lsn, "_source_position": f"lsn={lsn}"}
    times = {"_commit_time": at(lsn), "_ingested_at": at(lsn + 1)}
    system = {"_sequence": f"0001.1.{lsn:02}", "_operation": operation, "_is_quarantined": False, "_payload_hash": lsn}
    return {**key, **system, **place, **times, **changes}


def version(lsn: int, end: int | None, **changes: Any) -> dict[str, Any]:
    span = {"_effective_from": at(lsn), "_effective_to": at(end) if end else None}
    ends = {"_is_current": end is None, "_end_sequence": f"0001.1.{end:02}" if end else None}
    return {"id": 1, "_sequence": f"0001.1.{lsn:02}", "_operation": "INSERT", **span, **ends, **changes}


def tell(
    lake: Path,
    log: list[dict[str, Any]],
    history: list[dict[str, Any]],
    quarantine: list[dict[str, Any]] | None = None,
    key: str = "1",
    **table: Any,
) -> Story:
    use_case = use_case_of({**VEHICLES, **table})
    places = places_of(use_case, lake, "vehicles")
    write_rows(places.log, log, LOG_SCHEMA)
    write_rows(places.history, history, HISTORY_SCHEMA, partition_by=["_is_current"])
    if quarantine:
        write_rows(places.quarantine, quarantine, QUARANTINE_SCHEMA)
    return explain_row(use_case, lake, use_case.tables[0], key)


def fates(story: Story) -> list[tuple[str, int | None]]:
    return [(told.fate.value, told.version.number if told.version else None) for told in story.events]


def test_upserts_open_versions_and_a_delete_closes_the_last(tmp_path: Path) -> None:
    log = [event(7, "DELETE"), event(5, "INSERT"), event(6, "UPDATE")]
    history = [version(5, 6, plate="A"), version(6, 7, plate="B")]
    story = tell(tmp_path, log, history)
    assert fates(story) == [("opened", 1), ("opened", 2), ("closed", 2)]
    assert [version.changed for version in story.versions] == [{"plate": (None, "A")}, {"plate": ("A", "B")}]


def test_a_delete_of_what_is_gone_changes_nothing(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(6, "DELETE"), event(8, "DELETE")]
    assert fates(tell(tmp_path, log, [version(5, 6)])) == [("opened", 1), ("closed", 1), ("redundant", None)]


def test_a_truncate_belongs_to_the_story_of_every_row(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(7, "TRUNCATE"), event(9, "TRUNCATE")]
    assert fates(tell(tmp_path, log, [version(5, 7)])) == [("opened", 1), ("closed", 1), ("redundant", None)]


def test_a_snapshot_without_the_row_closes_it_by_inference(tmp_path: Path) -> None:
    log = [event(4, "SNAPSHOT"), event(5, "INSERT"), event(7, "SNAPSHOT"), event(9, "SNAPSHOT")]
    assert fates(tell(tmp_path, log, [version(5, 7)])) == [("opened", 1), ("inferred_delete", 1)]


def test_a_snapshot_that_shows_the_row_is_no_part_of_its_story(tmp_path: Path) -> None:
    log = [event(5, "READ"), event(5, "SNAPSHOT")]
    assert fates(tell(tmp_path, log, [version(5, None)])) == [("opened", 1)]


def test_a_snapshot_row_that_shows_what_is_known_is_absorbed(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(9, "READ")]
    assert fates(tell(tmp_path, log, [version(5, None)])) == [("opened", 1), ("absorbed", 1)]


def test_with_tracked_columns_an_equal_upsert_goes_on_with_the_version(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(9, "UPDATE")]
    assert fates(tell(tmp_path, log, [version(5, None)], track_columns=["plate"])) == [("opened", 1), ("continued", 1)]


def test_of_two_events_at_one_sequence_one_loses(tmp_path: Path) -> None:
    log = [event(5, "INSERT", _payload_hash=1, _offset=1), event(5, "INSERT", _payload_hash=2, _offset=2)]
    story = tell(tmp_path, log, [version(5, None)])
    assert [told.row["_offset"] for told in story.events] == [2, 1]
    assert fates(story) == [("opened", 1), ("lost_tie", None)]


def test_a_quarantined_event_comes_with_its_violations_and_the_version_it_makes_uncertain(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(6, "UPDATE", _is_quarantined=True)]
    violation = {"rule_id": "price_range", "column": "price", "severity": "error", "message": "no", "rule_version": "1"}
    quarantined = event(6, "UPDATE") | {"_violations": [violation], "_failed_rules": ["price_range"]}
    story = tell(tmp_path, log, [version(5, None, _uncertain_since="0001.1.06")], [quarantined])
    assert fates(story) == [("opened", 1), ("quarantined", 1)]
    assert [told.violations for told in story.events] == [(), [violation]]


def test_a_replayed_event_stands_before_the_gap_it_left(tmp_path: Path) -> None:
    log = [event(5, "INSERT", _is_quarantined=True), event(5, "INSERT")]
    assert fates(tell(tmp_path, log, [version(5, None)])) == [("opened", 1), ("repaired", None)]


def test_what_the_history_doesnt_hold_yet_is_told(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(6, "UPDATE"), event(7, "DELETE")]
    assert fates(tell(tmp_path, log, [version(5, None)])) == [("opened", 1), ("unsettled", None), ("unsettled", None)]


def test_other_rows_are_no_part_of_it(tmp_path: Path) -> None:
    log = [event(5, "INSERT"), event(6, "INSERT", id=2)]
    assert len(tell(tmp_path, log, [version(5, None), version(6, None, id=2)]).events) == 1


def test_an_unknown_key_names_some_that_exist(tmp_path: Path) -> None:
    with pytest.raises(QueryError) as caught:
        tell(tmp_path, [event(5, "INSERT"), event(6, "TRUNCATE")], [], key="9")
    assert (caught.value.message, caught.value.hint) == ("vehicles: no event of id=9", "there is, for example, 1")


def test_a_key_of_the_wrong_type_is_told(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="vehicles: id is int, not 'seven'"):
        explain_row(USE_CASE, tmp_path, USE_CASE.tables[0], "seven")


def test_nothing_captured_yet_is_told(tmp_path: Path) -> None:
    with pytest.raises(QueryError) as caught:
        explain_row(USE_CASE, tmp_path, USE_CASE.tables[0], "7")
    assert caught.value.hint == "no event of the table has been captured yet"


def test_a_composite_key_finds_its_row(tmp_path: Path) -> None:
    table = {**VEHICLES, "primary_key": ["id", "seen_at"]}
    use_case = use_case_of(table)
    places = places_of(use_case, tmp_path, "vehicles")
    write_rows(places.log, [event(5, "INSERT", seen_at=at(1)), event(6, "INSERT", seen_at=at(2))], LOG_SCHEMA)
    story = explain_row(use_case, tmp_path, use_case.tables[0], "1,2026-11-21T08:00:02Z")
    assert [told.row["_sequence"] for told in story.events] == ["0001.1.06"]
