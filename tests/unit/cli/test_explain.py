import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fluvial.cli.app import app
from fluvial.errors import FluvialError, QueryError
from fluvial.local.home import Home
from tests.unit.cli.test_query_and_verify import TABLES
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, QUARANTINE_SCHEMA, at, write_rows

PLACE = {"_topic": "cdc-vehicles", "_partition": 0, "_source_position": "lsn=5 tx=7", "_ingested_at": at(9)}
EVENT = {"id": 1, "_operation": "INSERT", "_payload_hash": 1, "_is_quarantined": False, **PLACE}
INSERT = {
    **EVENT,
    "_warnings": ["plate_short", "plate_upper"],
    "plate": "A",
    "_sequence": "0001.1.05",
    "_commit_time": at(5),
    "_offset": 3,
}
GAP = {**EVENT, "_operation": "UPDATE", "_sequence": "0001.1.06", "_commit_time": at(6), "_offset": 4} | {
    "_is_quarantined": True
}
VERSION = {"id": 1, "plate": "A", "_sequence": "0001.1.05", "_operation": "INSERT", "_effective_from": at(5)}
VIOLATION = {"rule_id": "plate_known", "column": "plate", "severity": "error", "message": "plate breaks regex"}


@pytest.fixture
def fleet(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "tables.yaml").write_text(TABLES)
    lake = Home(tmp_path / "home").lake
    version = {**VERSION, "_is_current": True, "_uncertain_since": "0001.1.06"}
    write_rows(f"{lake}/lake/vehicles", [version], HISTORY_SCHEMA)
    write_rows(f"{lake}/lake/vehicles__log", [INSERT, GAP], LOG_SCHEMA)
    write_rows(f"{lake}/quarantine/fleet/vehicles", [{**GAP, "_violations": [VIOLATION]}], QUARANTINE_SCHEMA)
    return ("--config", str(tmp_path / "fleet" / "tables.yaml"), "--home", str(tmp_path / "home"))


def fluvial(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_explain_tells_the_story_as_a_timeline(fleet: tuple[str, ...]) -> None:
    assert fluvial("explain", *fleet, "vehicles", "1").stdout.splitlines() == [
        "vehicles id=1: 2 events, 1 versions, 1 in quarantine",
        "",
        "0001.1.05  INSERT    2026-11-21T08:00:05.000000Z  cdc-vehicles/0@3  lsn=5 tx=7",
        "    ingested 2026-11-21T08:00:09.000000Z",
        "    breaks plate_short, plate_upper (warning)",
        "    opened version 1, current since 2026-11-21T08:00:05.000000Z",
        "      plate: A",
        "      uncertain since 0001.1.06",
        "",
        "0001.1.06  UPDATE    2026-11-21T08:00:06.000000Z  cdc-vehicles/0@4  lsn=5 tx=7",
        "    ingested 2026-11-21T08:00:09.000000Z",
        "    in quarantine: version 1 is uncertain from here on",
        "      plate_known (error): plate breaks regex",
    ]


def test_explain_prints_json(fleet: tuple[str, ...]) -> None:
    story = json.loads(fluvial("explain", *fleet, "vehicles", "id=1", "--json").stdout)
    assert (story["key"], [event["fate"] for event in story["events"]]) == ({"id": 1}, ["opened", "quarantined"])
    assert story["events"][1]["violations"] == [{**VIOLATION, "rule_version": None}]
    assert [event["warnings"] for event in story["events"]] == [["plate_short", "plate_upper"], None]
    assert story["versions"][0]["values"] == {"plate": "A"}


def test_an_unknown_key_is_an_error(fleet: tuple[str, ...]) -> None:
    assert isinstance(fluvial("explain", *fleet, "vehicles", "9").exception, QueryError)


def test_an_unknown_table_lists_those_there_are(fleet: tuple[str, ...]) -> None:
    error = fluvial("explain", *fleet, "lorries", "9").exception
    assert isinstance(error, FluvialError)
    assert (error.message, error.hint) == ("unknown table lorries", "fleet has vehicles")
