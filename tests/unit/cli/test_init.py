"""`fluvial init` from the template."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fluvial.cli.app import app
from fluvial.errors import FluvialError

runner = CliRunner()


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLUVIAL_SOURCE", raising=False)
    return tmp_path


def test_a_new_use_case_validates_at_once() -> None:
    made = runner.invoke(app, ["init", "corner-shop"])

    assert (made.exit_code, made.output.splitlines()) == (
        0,
        [
            "config/corner-shop/tables.yaml",
            "config/corner-shop/scenario.yaml",
            "1 table; next: fluvial validate config/corner-shop",
        ],
    )
    assert runner.invoke(app, ["validate", "--strict"]).exit_code == 0


def test_nothing_is_overwritten() -> None:
    runner.invoke(app, ["init", "corner-shop"])

    again = runner.invoke(app, ["init", "corner-shop"])

    assert isinstance(again.exception, FluvialError)
    assert again.exception.message == "config/corner-shop is there already"


@pytest.mark.parametrize("name", ["../up", "Shop", "a b", ""])
def test_an_unusable_name_is_refused(name: str) -> None:
    assert isinstance(runner.invoke(app, ["init", name]).exception, FluvialError)
