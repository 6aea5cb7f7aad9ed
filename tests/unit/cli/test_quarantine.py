import json
from pathlib import Path

import pytest

from fluvial.errors import FluvialError, RepairsFileError
from tests.unit.cli.test_explain import GAP, VIOLATION, fleet, fluvial
from tests.unit.io.lakes import QUARANTINE_SCHEMA, write_rows

__all__ = ["fleet"]


@pytest.fixture(autouse=True)
def quarantine(fleet: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> None:
    event = {**GAP, "_violations": [VIOLATION], "_failed_rules": ["plate_known"], "_after_image": [("plate", "a")]}
    write_rows(f"{fleet[3]}/s3/quarantine/fleet/vehicles", [event], QUARANTINE_SCHEMA, mode="overwrite")


def test_list_counts_events_by_rule(fleet: tuple[str, ...]) -> None:
    assert fluvial("quarantine", "list", *fleet).stdout.splitlines() == [
        "table     rule         events  replayed  waiting  newest",
        "vehicles  plate_known       1         0        1  2026-11-21T08:00:06.000000Z",
    ]


def test_list_prints_json(fleet: tuple[str, ...]) -> None:
    assert json.loads(fluvial("quarantine", "list", *fleet, "vehicles", "--json").stdout)[0]["waiting"] == 1


def test_show_prints_violations_and_values(fleet: tuple[str, ...]) -> None:
    assert fluvial("quarantine", "show", *fleet, "vehicles").stdout.splitlines() == [
        "id=1  0001.1.06  UPDATE  2026-11-21T08:00:06.000000Z  cdc-vehicles/0@4  waiting",
        "    plate_known (error): plate breaks regex",
        "    plate=a",
    ]


def test_show_prints_json(fleet: tuple[str, ...]) -> None:
    event = json.loads(fluvial("quarantine", "show", *fleet, "vehicles", "--json").stdout)[0]
    assert (event["_after_image"], event["is_replayed"]) == ({"plate": "a"}, False)


def test_show_prints_lines_to_repair(fleet: tuple[str, ...]) -> None:
    shown = fluvial("quarantine", "show", *fleet, "vehicles", "--as-repairs").stdout
    assert shown == '{"sequence": "0001.1.06", "key": {"id": 1}, "values": {"plate": "a"}}\n'


def test_show_says_that_there_are_more_and_repairs_are_printed_of_all(fleet: tuple[str, ...]) -> None:
    events = [
        {**GAP, "_sequence": f"0001.1.{number}", "_violations": [VIOLATION], "_after_image": [("plate", "a")]}
        for number in range(10, 40)
    ]
    write_rows(f"{fleet[3]}/s3/quarantine/fleet/vehicles", events, QUARANTINE_SCHEMA, mode="overwrite")
    shown = fluvial("quarantine", "show", *fleet, "vehicles")
    assert shown.stdout.count("waiting") == 20
    assert shown.stderr == "note: there are more than these 20; --limit prints more\n"
    repairs = fluvial("quarantine", "show", *fleet, "vehicles", "--as-repairs")
    assert (len(repairs.stdout.splitlines()), repairs.stderr) == (30, "")


def test_a_wrong_repairs_file_is_found_before_anything_starts(fleet: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "repairs.jsonl").write_text("{}\n")
    result = fluvial("quarantine", "replay", *fleet, "vehicles", "--repairs", str(tmp_path / "repairs.jsonl"))
    assert isinstance(result.exception, RepairsFileError)


def test_show_says_where_nothing_waits(fleet: tuple[str, ...]) -> None:
    shown = fluvial("quarantine", "show", *fleet, "vehicles", "--rule", "other").stdout
    assert shown == "no event of vehicles is in quarantine for rule other\n"


def test_an_unknown_table_is_an_error(fleet: tuple[str, ...]) -> None:
    assert isinstance(fluvial("quarantine", "show", *fleet, "lorries").exception, FluvialError)
