"""`fluvial apply`: does what `fluvial plan` showed."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console

from fluvial.cli.display import shown_progress
from fluvial.cli.plan_output import plan_lines
from fluvial.cli.selection import (
    ConfigOption,
    HomeOption,
    UseCaseArgument,
    select_home,
    select_tables,
    select_use_case,
)
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import PlanError
from fluvial.local.change_apply import Applied, apply_to_lake, check_plan
from fluvial.local.change_deploy import deploy_changes
from fluvial.local.change_plan import make_change_plan
from fluvial.local.home import Home
from fluvial.plan.change_plan import ChangePlan


def apply(
    use_case: UseCaseArgument = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    plan: Annotated[str | None, typer.Option("--plan", help="The hash that `fluvial plan` printed.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Apply whatever the plan is now, without a question.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Apply tables.yaml: histories derived again where needed, its fingerprint noted, what runs brought in line.

    A plan that has become stale, and one that is refused, changes nothing and ends with status 1.
    """
    selected, place = select_use_case(use_case or config), select_home(home)
    shown = make_change_plan(selected, place)
    check_plan(shown, plan)
    if shown.has_changes:
        _confirm(shown, plan, yes=yes)
        applied = apply_to_lake(selected, place, shown.hash, _rebuild)
        if shown.live is not None:
            _deploy(applied.plan, selected, str(select_tables(use_case or config)), place)
        print(_as_json(applied) if as_json else _as_text(applied, is_live=shown.live is not None))
    else:
        print(json.dumps({"plan": shown.hash, "has_changes": False}) if as_json else "nothing to do")


def _confirm(plan: ChangePlan, wanted: str | None, *, yes: bool) -> None:
    if wanted or yes:
        return
    if not sys.stdin.isatty():
        raise PlanError("nobody is there to confirm", f"name the plan: --plan {plan.hash}; or say --yes")
    for line in plan_lines(plan):
        Console(highlight=False, soft_wrap=True).print(line)
    if not typer.confirm("apply this?"):
        raise typer.Abort


def _rebuild(use_case: UseCase, tables: tuple[Table, ...], home: Home) -> Mapping[str, int]:
    from fluvial.cli.spark import spark_session  # noqa: PLC0415 - most plans need no Spark
    from fluvial.io.rebuild import rebuild_table  # noqa: PLC0415

    locations = Locations(use_case, home.lake)
    with spark_session("fluvial-apply", home) as session:
        return {table.name: rebuild_table(session, table, locations) for table in tables}


def _deploy(plan: ChangePlan, use_case: UseCase, tables: str, home: Home) -> None:
    with shown_progress() as show:
        deploy_changes(plan, use_case, tables, home, lambda step, _result: show(f"deploying {step.id}", 0, 1))


def _as_json(applied: Applied) -> str:
    words = {"rebuilt": dict(applied.rebuilt), "noted": list(applied.noted), "checkpoint": applied.retired_checkpoint}
    return json.dumps({"plan": applied.plan.hash, "has_changes": True, **words}, indent=2)


def _as_text(applied: Applied, *, is_live: bool) -> str:
    lines = [f"applied {applied.plan.hash} ({applied.plan.effect.value})"]
    lines += [f"{name}: history derived again, {rows:,} versions" for name, rows in applied.rebuilt.items()]
    if applied.retired_checkpoint:
        lines.append(f"the old checkpoint lies at {applied.retired_checkpoint}; topics are read from their beginning")
    if not is_live:
        lines.append(f"nothing runs here: `fluvial up --use-case {applied.plan.use_case}` starts it")
    return "\n".join(lines)
