"""`fluvial plan`: what an edited tables.yaml would do, before it does it."""

import json
import sys
from typing import Annotated, Final

import typer
from rich.console import Console

from fluvial.cli.plan_output import plan_lines
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_use_case
from fluvial.local.change_plan import make_change_plan

_CHANGES: Final = 2

UseCaseArgument = Annotated[str | None, typer.Argument(help="A use case, its folder or its tables.yaml.")]


def plan(
    use_case: UseCaseArgument = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what applying tables.yaml would do to tables, topics, connector, DDL, DAGs and stacks; changes nothing.

    Status 0: nothing, 1: an error, 2: there are changes.
    """
    found = make_change_plan(select_use_case(use_case or config), select_home(home))
    if as_json:
        sys.stdout.write(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in plan_lines(found):
            console.print(line if console.is_terminal else line.plain)
    if found.has_changes:
        raise typer.Exit(_CHANGES)
