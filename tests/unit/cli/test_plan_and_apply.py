import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fluvial.cli.app import app
from fluvial.errors import PlanError
from fluvial.local.home import Home
from tests.unit.cli.test_query_and_verify import TABLES
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, at, write_rows

EVENT = {"id": 1, "plate": "A", "_operation": "INSERT", "_sequence": "0001.1.05", "_commit_time": at(5)}
VERSION = {"id": 1, "plate": "A", "_operation": "INSERT", "_sequence": "0001.1.05", "_effective_from": at(5)}


@pytest.fixture
def fleet(tmp_path: Path) -> tuple[str, ...]:
    """A lake with one event; nothing was ever applied."""
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "tables.yaml").write_text(TABLES)
    lake = Home(tmp_path / "home").lake
    write_rows(f"{lake}/lake/vehicles__log", [{**EVENT, "_is_quarantined": False}], LOG_SCHEMA)
    write_rows(f"{lake}/lake/vehicles", [{**VERSION, "_is_current": True}], HISTORY_SCHEMA)
    return (str(tmp_path / "fleet"), "--home", str(tmp_path / "home"))


def fluvial(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def edit(fleet: tuple[str, ...], old: str, new: str) -> None:
    tables = Path(fleet[0]) / "tables.yaml"
    assert old in tables.read_text()
    tables.write_text(tables.read_text().replace(old, new))


def test_a_first_plan_says_so_and_has_status_2(fleet: tuple[str, ...]) -> None:
    result = fluvial("plan", *fleet)

    assert result.exit_code == 2
    assert result.stdout.splitlines()[0] == "fleet: never applied here; everything is new"


def test_once_applied_there_is_nothing_to_do_and_the_status_is_0(fleet: tuple[str, ...]) -> None:
    assert fluvial("apply", *fleet, "--yes").exit_code == 0

    result = fluvial("plan", *fleet)
    assert (result.exit_code, result.stdout) == (0, "fleet: every table exact\nfleet: nothing to do\n")
    assert fluvial("apply", *fleet).stdout == "nothing to do\n"


def test_an_edit_is_shown_with_its_effect_and_applied_by_its_hash(fleet: tuple[str, ...]) -> None:
    fluvial("apply", *fleet, "--yes")
    edit(fleet, "{name: plate, type: string}", "{name: plate, type: string, nullable: false}")
    shown = fluvial("plan", *fleet).stdout.splitlines()
    name = json.loads(fluvial("plan", *fleet, "--json").stdout)["hash"]

    assert shown[-3] == "fleet: every table exact"
    assert shown[0] == "vehicles  forward only  (1 events, 1 versions)"
    assert shown[1] == "  ~ schema.plate.nullable: forward only: a missing value is quarantined from now on"
    assert shown[-1] == f"forward only; `fluvial apply --plan {name}` does it"
    assert fluvial("apply", *fleet, "--plan", name).stdout.splitlines()[0] == f"applied {name} (forward only)"
    assert fluvial("plan", *fleet).exit_code == 0


def test_a_stale_hash_is_refused(fleet: tuple[str, ...]) -> None:
    error = fluvial("apply", *fleet, "--plan", "0123456789ab").exception

    assert isinstance(error, PlanError)
    assert error.message.startswith("the plan 0123456789ab is stale: it would be ")


def test_a_refused_edit_says_why_and_applies_nothing(fleet: tuple[str, ...]) -> None:
    fluvial("apply", *fleet, "--yes")
    edit(fleet, "primary_key: id", "primary_key: [id, plate]")
    result = fluvial("plan", *fleet)

    assert result.exit_code == 2
    assert result.stdout.splitlines()[-1] == "refused: 1 edits can't be applied"
    assert isinstance(fluvial("apply", *fleet, "--yes").exception, PlanError)


def test_without_a_terminal_a_plan_has_to_be_named(fleet: tuple[str, ...]) -> None:
    error = fluvial("apply", *fleet).exception

    assert isinstance(error, PlanError)
    assert error.hint.startswith("name the plan: --plan ")


def test_every_apply_leaves_a_line_in_the_audit(fleet: tuple[str, ...]) -> None:
    fluvial("apply", *fleet, "--yes")
    (line,) = (Path(fleet[2]) / "applied" / "fleet.log").read_text().splitlines()

    assert " plan=" in line
    assert line.endswith(" effect=forward only")
