import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fluvial.cli.app import app
from fluvial.errors import FluvialError
from tests.unit.cli.test_query_and_verify import TABLES


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "tables.yaml").write_text(TABLES)
    return str(tmp_path / "fleet")


def fluvial(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_compile_lists_the_artifacts(fleet: str) -> None:
    lines = fluvial("compile", fleet).stdout.splitlines()

    assert lines[0].split() == ["source/tables.sql", "tables,", "heartbeat,", "signals"]
    assert lines[-1].startswith("athena/catalog.sql")


def test_compile_writes_every_artifact_and_leaves_those_alone_that_are_right(fleet: str, tmp_path: Path) -> None:
    fluvial("compile", fleet, "--out", str(tmp_path / "out"))
    topics = tmp_path / "out" / "kafka" / "topics.json"
    before = topics.stat().st_mtime_ns

    assert fluvial("compile", fleet, "--out", str(tmp_path / "out")).exit_code == 0
    assert json.loads(topics.read_text())[0]["name"] == "cdc-vehicles"
    assert topics.stat().st_mtime_ns == before


def test_compile_prints_one_artifact_as_it_is_written(fleet: str) -> None:
    printed = fluvial("compile", fleet, "--artifact", "dms/task-settings.json").stdout

    assert json.loads(printed)["BeforeImageSettings"]["EnableBeforeImage"] is True


def test_compile_prints_json(fleet: str) -> None:
    found = json.loads(fluvial("compile", fleet, "--json").stdout)

    assert found["kafka/topics.json"][0]["partitions"] == 1
    assert found["source/tables.sql"].startswith("create schema")


def test_an_unknown_artifact_suggests_the_nearest(fleet: str) -> None:
    error = fluvial("compile", fleet, "--artifact", "kafka/topcis.json").exception

    assert isinstance(error, FluvialError)
    assert error.hint.startswith("did you mean kafka/topics.json? there are source/tables.sql, ")


def test_a_folder_that_cant_be_made_is_an_error(fleet: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = fluvial("compile", fleet, "--out", str(tmp_path / "file")).exception

    assert isinstance(error, FluvialError)
    assert error.message.startswith("can't write ")


def test_a_secret_never_stands_in_an_artifact(fleet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_PASSWORD", "canary-secret")

    assert "canary-secret" not in fluvial("compile", fleet, "--json").stdout
