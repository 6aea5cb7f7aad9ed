from pathlib import Path

import pytest

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.local.home import Home
from fluvial.local.platform import run_step
from fluvial.plan.steps import Step, StepKind

DROP = Step("drop_lake", StepKind.DROP_LAKE)


@pytest.fixture
def fleet(pytestconfig: pytest.Config) -> UseCase:
    return load_use_case(pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml", local_placeholders())


def test_everything_the_use_case_wrote_is_deleted_and_nothing_else(fleet: UseCase, tmp_path: Path) -> None:
    home = Home(tmp_path)
    mine = home.lake / "local-delta-000000000000/vehicle-telemetry/vehicles/_delta_log"
    other = home.lake / "local-delta-000000000000/healthcare-iot/patients"
    mine.mkdir(parents=True)
    other.mkdir(parents=True)

    result = run_step(DROP, fleet, home)

    assert result == {"dropped": ["local-delta-000000000000/vehicle-telemetry/vehicles"]}
    assert not (home.lake / "local-delta-000000000000/vehicle-telemetry").exists()
    assert other.is_dir()


def test_dropping_a_lake_that_was_never_written_is_no_error(fleet: UseCase, tmp_path: Path) -> None:
    assert run_step(DROP, fleet, Home(tmp_path)) == {"dropped": []}


def test_a_place_outside_the_lake_is_left_alone(fleet: UseCase, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    table = fleet.tables[0].model_copy(update={"delta_path": f"s3://../../{outside.name}"})
    stray = fleet.model_copy(update={"tables": (table, *fleet.tables[1:])})

    run_step(DROP, stray, Home(tmp_path / "home"))

    assert outside.is_dir()
