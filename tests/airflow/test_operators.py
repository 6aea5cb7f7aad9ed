from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from fluvial.plan.steps import Step, StepKind
from fluvial_airflow.operators.confirm import ConfirmOperator
from fluvial_airflow.operators.local_step import LocalStepOperator


def test_the_typed_name_confirms() -> None:
    assert ConfirmOperator(task_id="confirm", expected="shop", typed="shop").execute({}) == "shop"


@pytest.mark.parametrize("typed", ["", "Shop", "shop ", "yes"])
def test_anything_else_fails_and_says_what_to_type(typed: str) -> None:
    with pytest.raises(AirflowFailException, match="set to 'shop'"):
        ConfirmOperator(task_id="confirm", expected="shop", typed=typed).execute({})


def test_a_broken_configuration_fails_a_step_for_good_with_its_place(tmp_path: Path) -> None:
    config = tmp_path / "shop" / "tables.yaml"
    config.parent.mkdir()
    config.write_text("settings: {}\n")
    step = LocalStepOperator(task_id="topics", step=Step("topics", StepKind.TOPICS), config=str(config))
    with pytest.raises(AirflowFailException, match=r"tables\.yaml:1"):
        step.execute({})
