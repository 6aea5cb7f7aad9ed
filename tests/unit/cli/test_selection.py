"""Which use case a command takes when it is given none."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fluvial.cli.app import app
from fluvial.cli.selection import select_use_case
from fluvial.errors import FluvialError
from tests.unit.config.samples import SHOP


def configured(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "tables.yaml").write_text(SHOP)
    return folder


def test_the_only_one_is_taken(tmp_path: Path) -> None:
    assert select_use_case(None, configured(tmp_path, "shop")).name == "shop"


def test_vehicle_telemetry_is_taken_before_others(tmp_path: Path) -> None:
    assert select_use_case(None, configured(tmp_path, "clinic", "vehicle-telemetry")).name == "vehicle-telemetry"


def test_of_several_others_none_is_taken(tmp_path: Path) -> None:
    with pytest.raises(FluvialError, match=r"2 use cases in .*: clinic, shop"):
        select_use_case(None, configured(tmp_path, "clinic", "shop"))


@pytest.mark.parametrize("command", ["up", "run", "generate seed"])
def test_commands_that_change_something_take_the_only_one_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "config").mkdir()
    (configured(tmp_path / "config", "shop") / "shop/tables.yaml").write_text("tables: 7")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*command.split(), "--home", str(tmp_path / "home")])
    assert "shop/tables.yaml:1:9 E012 'tables': expected a list" in str(result.exception)
