import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fluvial.cli.app import app
from fluvial.errors import FluvialError, QueryError
from fluvial.local.home import Home
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, at, write_rows

TABLES = """
settings:
  checkpoint_location: s3://checkpoints/fleet
  quarantine_path: s3://quarantine/fleet
  delta_bucket: lake
kafka: {bootstrap_servers: "127.0.0.1:9092"}
tables:
  - name: vehicles
    primary_key: id
    schema:
      - {name: id, type: int, nullable: false}
      - {name: plate, type: string}
"""
VERSION = {"id": 1, "plate": "A", "_sequence": "0001.1.05", "_operation": "INSERT", "_effective_from": at(5)}
EVENT = {"id": 1, "plate": "A", "_sequence": "0001.1.05", "_operation": "INSERT", "_commit_time": at(5)}


@pytest.fixture
def fleet(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "tables.yaml").write_text(TABLES)
    write_rows(f"{Home(tmp_path / 'home').lake}/lake/vehicles", [{**VERSION, "_is_current": True}], HISTORY_SCHEMA)
    return ("--config", str(tmp_path / "fleet" / "tables.yaml"), "--home", str(tmp_path / "home"))


def write_log(fleet: tuple[str, ...], **changes: object) -> None:
    event = {**EVENT, "_is_quarantined": False, "_payload_hash": 1, **changes}
    write_rows(f"{Home(Path(fleet[3])).lake}/lake/vehicles__log", [event], LOG_SCHEMA)


def fluvial(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_query_prints_json(fleet: tuple[str, ...]) -> None:
    result = fluvial("query", *fleet, "--format", "json", "SELECT id, _effective_from FROM vehicles__current")
    assert json.loads(result.stdout) == [{"id": 1, "_effective_from": "2026-11-21T08:00:05.000000Z"}]


def test_query_prints_csv(fleet: tuple[str, ...]) -> None:
    assert fluvial("query", *fleet, "--format", "csv", "SELECT plate FROM vehicles").stdout == "plate\nA\n"


def test_query_prints_a_table(fleet: tuple[str, ...]) -> None:
    assert fluvial("query", *fleet, "SELECT plate FROM vehicles").stdout == "plate\nA\n"


def test_an_unknown_table_is_a_query_error(fleet: tuple[str, ...]) -> None:
    assert isinstance(fluvial("query", *fleet, "SELECT * FROM lorries").exception, QueryError)


def test_a_timestamp_beyond_the_calendar_says_what_to_do(fleet: tuple[str, ...]) -> None:
    error = fluvial("query", *fleet, "SELECT 'infinity'::TIMESTAMPTZ").exception
    assert isinstance(error, QueryError)
    assert error.hint == "cast that column to VARCHAR in the query"


def test_without_config_there_must_be_one_use_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = fluvial("query", "SELECT 1").exception
    assert isinstance(error, FluvialError)
    assert error.message.startswith("no use case in ")


def test_verify_ends_with_status_0_where_nothing_differs(fleet: tuple[str, ...]) -> None:
    write_log(fleet)
    result = fluvial("verify", *fleet)
    assert (result.exit_code, result.stdout) == (0, "vehicles: 0 differences (1 versions from 1 log rows)\n")


def test_verify_lists_differences_and_ends_with_status_1(fleet: tuple[str, ...]) -> None:
    write_log(fleet, plate="B")
    result = fluvial("verify", *fleet, "vehicles")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "vehicles: 1 differences (1 versions from 1 log rows)",
        "  id=1 @ 0001.1.05 plate: expected B, found A",
    ]


def test_a_table_that_cant_be_checked_keeps_no_other_from_its_verdict(fleet: tuple[str, ...]) -> None:
    write_log(fleet, plate="B")
    tables = Path(fleet[1])
    drivers = "  - {name: drivers, primary_key: id, schema: [{name: id, type: int}, {name: plate, type: string}]}\n"
    tables.write_text(TABLES + drivers)
    lake = Home(Path(fleet[3])).lake / "lake"
    write_rows(f"{lake}/drivers__log", [{**EVENT, "_is_quarantined": False, "_payload_hash": 1}], LOG_SCHEMA)
    for file in (lake / "drivers__log").glob("*.parquet"):
        file.unlink()
    result = fluvial("verify", *fleet)
    assert result.exit_code == 2
    assert result.stdout.startswith("vehicles: 1 differences")
    assert result.stderr.startswith("error: drivers can't be checked: ")


def test_verify_prints_json(fleet: tuple[str, ...]) -> None:
    write_log(fleet, plate="B")
    verdict = json.loads(fluvial("verify", *fleet, "--json").stdout)[0]
    assert (verdict["is_same"], verdict["total"], verdict["differences"][0]["found"]) == (False, 1, "A")


@pytest.mark.parametrize("arguments", [(), ("lorries",)])
def test_verify_ends_with_status_2_where_it_cant_check(fleet: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    result = fluvial("verify", *fleet, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
