"""Brings what runs in line with an applied configuration: source columns, topics, connector, streaming job."""

from fluvial.config.model import UseCase
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.local.platform import Observer, run_plan
from fluvial.local.source_database import connect, friendly_errors
from fluvial.plan.change_plan import ChangePlan, LiveDifference
from fluvial.plan.steps import StepKind, plan_deployment


def deploy_changes(plan: ChangePlan, use_case: UseCase, tables: str, home: Home, observe: Observer) -> None:
    """The deployment's steps: new columns are made before them, rows of new tables asked for after them.

    `tables` is the path of the tables.yaml.
    """
    live = plan.live or ()
    _execute(use_case, home, [found for found in live if found.part == "source" and found.name in _existing(live)])
    steps = (step for step in plan_deployment(use_case) if step.kind is not StepKind.STACKS)
    run_plan(tuple(step.with_inputs({"config": tables}) for step in steps), use_case, home, observe)
    _execute(use_case, home, [found for found in live if found.part == "snapshot"])


def _existing(live: tuple[LiveDifference, ...]) -> set[str]:
    missing = {found.name for found in live if found.statement == "create table"}
    return {found.name for found in live} - missing


def _execute(use_case: UseCase, home: Home, differences: list[LiveDifference]) -> None:
    if not differences:
        return
    database = use_case.database_name
    with connect(read_endpoints(home), database) as connection, friendly_errors(database):
        for difference in differences:
            connection.execute(difference.statement.encode())
