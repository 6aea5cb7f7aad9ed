from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fluvial.io.quarantine import Shown, read_quarantine, summarize_quarantine
from tests.unit.io.lakes import LOG_SCHEMA, QUARANTINE_SCHEMA, at, places_of, use_case_of, write_rows

USE_CASE = use_case_of()
TABLE = USE_CASE.tables[0]


def place(lsn: int, key: int) -> dict[str, Any]:
    position = {"_topic": "t", "_partition": 0, "_offset": lsn, "_commit_time": at(lsn)}
    return {"id": key, "_sequence": f"0001.1.{lsn:02}", "_operation": "UPDATE", **position}


def bad(lsn: int, key: int, *rules: str) -> dict[str, Any]:
    return place(lsn, key) | {"_failed_rules": list(rules), "_violations": [], "_after_image": [("plate", "A")]}


def logged(lsn: int, key: int, payload: int, *, gap: bool) -> dict[str, Any]:
    return place(lsn, key) | {"_payload_hash": payload, "_is_quarantined": gap}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    places = places_of(USE_CASE, tmp_path, "vehicles")
    write_rows(places.quarantine, [bad(5, 1, "low", "odd"), bad(6, 2, "low"), bad(7, 3, "low")], QUARANTINE_SCHEMA)
    gaps = [logged(lsn, key, lsn, gap=True) for lsn, key in ((5, 1), (6, 2), (7, 3))]
    rival = logged(7, 3, 99, gap=False)
    write_rows(places.log, [*gaps, logged(6, 2, 6, gap=False), rival], LOG_SCHEMA)
    return tmp_path


def test_the_summary_counts_events_by_rule_and_whether_they_wait(lake: Path) -> None:
    assert summarize_quarantine(USE_CASE, lake, [TABLE]).to_pylist() == [
        {"table": "vehicles", "rule": "low", "events": 3, "replayed": 1, "waiting": 2, "newest": at(7)},
        {"table": "vehicles", "rule": "odd", "events": 1, "replayed": 0, "waiting": 1, "newest": at(5)},
    ]


def test_an_event_is_replayed_where_the_log_holds_it_valid_and_another_event_at_its_place_is_none(lake: Path) -> None:
    shown, _ = read_quarantine(USE_CASE, lake, TABLE)
    assert [(row["id"], row["is_replayed"]) for row in shown] == [(1, False), (2, True), (3, False)]


@pytest.mark.parametrize(
    ("shown", "keys", "has_more"),
    [
        (Shown(), [1, 2, 3], False),
        (Shown("odd"), [1], False),
        (Shown("low", most=2), [1, 2], True),
        (Shown("low", most=3), [1, 2, 3], False),
        (Shown(is_waiting=True), [1, 3], False),
        (Shown(is_waiting=True, most=1), [1], True),
    ],
)
def test_events_are_chosen_and_what_is_cut_off_is_known(
    lake: Path, shown: Shown, keys: list[int], has_more: bool
) -> None:
    found, more = read_quarantine(USE_CASE, lake, TABLE, shown)
    assert ([row["id"] for row in found], more) == (keys, has_more)


def test_an_event_that_a_filter_takes_out_is_replayed_as_a_delete(lake: Path) -> None:
    good = logged(5, 1, 5, gap=False) | {"_operation": "DELETE"}
    write_rows(places_of(USE_CASE, lake, "vehicles").log, [good], LOG_SCHEMA, mode="append")
    shown, _ = read_quarantine(USE_CASE, lake, TABLE)
    assert [(row["id"], row["is_replayed"]) for row in shown] == [(1, True), (2, True), (3, False)]


def test_a_replayed_event_says_who_replayed_it_and_when(lake: Path) -> None:
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("table", "sequence", "operation", "topic", "outcome", "replayed_by")),
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("replayed_at", pa.timestamp("us", "UTC")),
        ]
    )
    audit = {"table": "vehicles", "sequence": "0001.1.06", "operation": "UPDATE", "topic": "t", "partition": 0} | {
        "offset": 6,
        "outcome": "replayed",
        "replayed_by": "ann",
        "replayed_at": at(30),
    }
    write_rows(str(lake / "quarantine/fleet/quarantine_replays"), [audit], schema)
    shown, _ = read_quarantine(USE_CASE, lake, TABLE)
    assert [(row["replayed_by"], row["replayed_at"]) for row in shown] == [(None, None), ("ann", at(30)), (None, None)]


def test_an_empty_quarantine_is_empty(tmp_path: Path) -> None:
    assert summarize_quarantine(USE_CASE, tmp_path, [TABLE]).num_rows == 0
    assert read_quarantine(USE_CASE, tmp_path, TABLE) == ([], False)
