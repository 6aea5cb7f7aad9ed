"""`fluvial up`: start or mend the local profile."""

import time
from pathlib import Path
from typing import Annotated

import typer

from fluvial.cli.display import Show, print_parts, shown_progress
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_tables
from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.local import stack
from fluvial.local.home import Home
from fluvial.local.platform import run_plan
from fluvial.plan.steps import Step, StepKind, plan_deployment


def up(
    airflow: Annotated[bool, typer.Option("--airflow", help="Start Airflow, and leave deploying to its DAG.")] = False,
    use_case: ConfigOption = None,
    stack_only: Annotated[bool, typer.Option("--stack-only", help="Start the stack and deploy nothing.")] = False,
    home: HomeOption = None,
) -> None:
    """Start PostgreSQL, Kafka and Kafka Connect, then capture and stream a use case; mends what has fallen over."""
    began, place = time.monotonic(), select_home(home)
    # Before anything is started: a broken tables.yaml is the cheapest thing to find.
    tables = None if airflow or stack_only else select_tables(use_case)
    deployed = load_use_case(tables, local_placeholders()) if tables else None
    with shown_progress() as show:
        stack.up(place, show)
        if airflow:
            _start_airflow(place, show)
        if tables and deployed:
            _deploy(deployed, tables, place, show)
    print_parts(stack.status(place))
    print(f"up after {time.monotonic() - began:.1f} s in {place.root}")


def _deploy(use_case: UseCase, tables: Path, home: Home, show: Show) -> None:
    steps = (step for step in plan_deployment(use_case) if step.kind is not StepKind.STACKS)
    plan = tuple(step.with_inputs({"config": str(tables.absolute())}) for step in steps)
    done: list[str] = []

    def observe(step: Step, result: dict[str, object] | None) -> None:
        if result is not None:
            done.append(step.id)
        show(f"deploying {use_case.name}", len(done), len(plan))

    run_plan(plan, use_case, home, observe)


def _start_airflow(home: Home, show: Show) -> None:
    from fluvial.local.airflow import start_airflow  # noqa: PLC0415 - not needed without --airflow

    show("starting Airflow", 0, 1)
    start_airflow(home)
    show("starting Airflow", 1, 1)
