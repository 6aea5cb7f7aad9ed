from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk import DAG

from fluvial.errors import FluvialError
from fluvial.plan.steps import Plan, Step, StepKind
from fluvial_airflow.render import render_plan


def _render(plan: Plan) -> DAG:
    with DAG("made", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
        render_plan(plan, Path("config/x/tables.yaml"))
    return dag


DIAMOND = (
    Step("stacks", StepKind.STACKS),
    Step("topics", StepKind.TOPICS, ("stacks",)),
    Step("source_tables", StepKind.SOURCE_TABLES, ("stacks",)),
    Step("capture", StepKind.CAPTURE, ("topics", "source_tables"), inputs={"tables": "orders"}),
)


def test_tasks_are_wired_like_the_plan() -> None:
    assert {task.task_id: sorted(task.downstream_task_ids) for task in _render(DIAMOND).tasks} == {
        "stacks": ["source_tables", "topics"],
        "topics": ["capture"],
        "source_tables": ["capture"],
        "capture": [],
    }


def test_a_task_knows_its_step_and_its_configuration() -> None:
    task = _render(DIAMOND).get_task("capture")
    assert (task.step, task.config, task.inputs) == (DIAMOND[3], "config/x/tables.yaml", {"tables": "orders"})


def test_the_local_profile_is_the_platform_unless_another_is_chosen() -> None:
    assert {type(task).__name__ for task in _render(DIAMOND).tasks} == {"LocalStepOperator"}


def test_the_platform_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUVIAL_PLATFORM", "recording")
    assert {type(task).__name__ for task in _render(DIAMOND).tasks} == {"RecordingStepOperator"}


def test_an_unknown_platform_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUVIAL_PLATFORM", "mainframe")
    with pytest.raises(FluvialError, match="unknown platform 'mainframe'") as raised:
        _render(DIAMOND)
    assert raised.value.hint == "set FLUVIAL_PLATFORM to one of: local, recording"
