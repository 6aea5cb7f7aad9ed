"""`fluvial plan`: what an edited tables.yaml would do, before it does it."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from fluvial.cli.plan_output import plan_lines
from fluvial.cli.rule_trials import edited_rules_of, outcome_lines, outcome_words, run_backtest
from fluvial.cli.selection import ConfigOption, HomeOption, UseCaseArgument, select_home, select_use_case
from fluvial.config.guarantee import as_words, describe
from fluvial.config.model import UseCase
from fluvial.local.change_plan import make_change_plan
from fluvial.local.home import Home
from fluvial.plan.change_plan import ChangePlan

if TYPE_CHECKING:
    from fluvial.io.backtest import RuleBacktest

_CHANGES: Final = 2


def plan(
    use_case: UseCaseArgument = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    with_backtest: Annotated[
        bool, typer.Option("--backtest", help="Also try edited rules on the stored events; starts a Spark.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what applying tables.yaml would do to tables, topics, connector, DDL, DAGs and stacks; changes nothing.

    Status 0: nothing, 1: an error, 2: there are changes.
    """
    selected, place = select_use_case(use_case or config), select_home(home)
    found = make_change_plan(selected, place)
    outcomes = _try_rules(selected, place) if with_backtest else None
    if as_json:
        told = (
            found.as_json()
            | {"guarantees": as_words(selected)}
            | ({} if outcomes is None else {"backtest": list(map(outcome_words, outcomes))})
        )
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        _print(found, describe(selected), outcomes or [])
    if found.has_changes:
        raise typer.Exit(_CHANGES)


def _try_rules(use_case: UseCase, home: Home) -> "list[RuleBacktest]":
    edited = edited_rules_of(use_case, home)
    return run_backtest(use_case, home, edited) if edited else []


def _print(found: ChangePlan, guarantees: Sequence[str], outcomes: "list[RuleBacktest]") -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in plan_lines(found, guarantees):
        console.print(line if console.is_terminal else line.plain)
    for outcome in outcomes:
        print("\n".join(outcome_lines(outcome)))
