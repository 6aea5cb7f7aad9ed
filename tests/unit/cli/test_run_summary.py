"""The commands that a run suggests at its end: they work as they stand."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from fluvial.cli.run_summary import print_next_commands
from fluvial.local.home import default_home
from tests.unit.cli.test_selection import configured


def suggested(tables: Path, *, is_up: bool) -> list[str]:
    """What follows the name of the program, up to a query's SQL."""
    console = Console(file=StringIO(), width=400)
    print_next_commands(tables, default_home(), console, is_up=is_up)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [line.partition("fluvial ")[2].partition(' "')[0] for line in lines[2:]]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return configured(tmp_path / "config", "clinic", "vehicle-telemetry")


def test_of_the_use_case_that_is_taken_unnamed_they_name_none(config: Path) -> None:
    tables = config / "vehicle-telemetry/tables.yaml"
    assert suggested(tables, is_up=True) == ["query", "query", "generate burst --rows 5000"]


def test_of_another_use_case_they_name_its_folder(config: Path) -> None:
    assert suggested(config / "clinic/tables.yaml", is_up=True) == [
        "query --config config/clinic",
        "query --config config/clinic",
        "generate burst --config config/clinic --rows 5000",
    ]


def test_what_has_ended_is_started_again_first(config: Path) -> None:
    assert suggested(config / "clinic/tables.yaml", is_up=False)[2] == "up --airflow"
