from collections.abc import Callable

import pytest

from fluvial.config.model import UseCase
from fluvial.plan.steps import (
    Plan,
    Step,
    StepKind,
    plan_deployment,
    plan_generation,
    plan_health,
    plan_teardown,
)

PLANNERS = (plan_deployment, plan_health, plan_generation, plan_teardown)


def _upstream(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {step.id: step.upstream for step in plan}


def test_a_deployment_makes_tables_and_topics_side_by_side_and_capture_after_both(shop: UseCase) -> None:
    assert _upstream(plan_deployment(shop)) == {
        "stacks": (),
        "source_tables": ("stacks",),
        "topics": ("stacks",),
        "capture": ("source_tables", "topics"),
        "streaming": ("capture",),
        "catalog": ("streaming",),
        "health": ("catalog",),
    }


def test_a_deployment_names_the_tables_and_topics_of_the_configuration(shop: UseCase) -> None:
    inputs = {step.id: dict(step.inputs) for step in plan_deployment(shop) if step.inputs}
    assert inputs == {
        "source_tables": {"database": "corner_shop", "tables": "orders,buyers"},
        "topics": {"topics": "cdc-orders,shop.buyers"},
    }


def test_a_teardown_stops_before_it_drops(shop: UseCase) -> None:
    assert _upstream(plan_teardown(shop)) == {
        "stop_streaming": (),
        "stop_capture": (),
        "drop_topics": ("stop_streaming", "stop_capture"),
        "drop_source": ("stop_capture",),
        "drop_lake": ("stop_streaming",),
    }


def test_health_is_one_step(shop: UseCase) -> None:
    assert _upstream(plan_health(shop)) == {"health": ()}


def test_generation_starts_from_the_default_inputs(shop: UseCase) -> None:
    (step,) = plan_generation(shop)
    assert (step.kind, dict(step.inputs)) == (
        StepKind.GENERATE,
        {"mode": "seed", "rows": "", "seconds": "30", "seed": "42", "database": "corner_shop"},
    )


def test_inputs_of_a_run_replace_the_planned_ones() -> None:
    planned = Step("generate", StepKind.GENERATE, inputs={"mode": "seed", "rows": "1000"})
    assert dict(planned.with_inputs({"mode": "burst"}).inputs) == {"mode": "burst", "rows": "1000"}
    assert dict(planned.inputs) == {"mode": "seed", "rows": "1000"}


@pytest.mark.parametrize("planner", PLANNERS)
def test_every_step_comes_after_its_upstream_steps(planner: Callable[[UseCase], Plan], shop: UseCase) -> None:
    plan = planner(shop)
    ids = [step.id for step in plan]
    assert all(ids.index(upstream) < ids.index(step.id) for step in plan for upstream in step.upstream)


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_same_configuration_gives_the_same_plan(planner: Callable[[UseCase], Plan], shop: UseCase) -> None:
    assert planner(shop) == planner(shop.model_copy())
