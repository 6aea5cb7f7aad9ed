"""Plan to tasks: the one place where steps meet Airflow."""

from collections.abc import Mapping
from pathlib import Path

from airflow.sdk import BaseOperator

from fluvial.plan.steps import Plan
from fluvial_airflow.platforms import make_task


def render_plan(plan: Plan, config: Path) -> Mapping[str, BaseOperator]:
    """One task for each step, wired like the plan; call it inside a `with DAG(...)`."""
    tasks = {step.id: make_task(step, config) for step in plan}
    for step in plan:
        for upstream in step.upstream:
            tasks[step.id].set_upstream(tasks[upstream])
    return tasks
