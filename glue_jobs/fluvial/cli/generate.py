"""`fluvial generate`: write a scenario's life into the source."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_tables
from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.generate.load import load_scenario
from fluvial.generate.scenario import Scenario
from fluvial.generate.summary import Summary
from fluvial.local.endpoints import read_endpoints
from fluvial.local.generation import GenerationRequest, Mode, generate_rows
from fluvial.local.use_case_files import scenario_path


class SummaryFormat(StrEnum):
    """How the summary is printed."""

    TABLE = "table"
    JSON = "json"


def generate(
    mode: Annotated[
        Mode, typer.Argument(help="seed: the initial rows. generate: a steady trickle. burst: all at once.")
    ],
    use_case: ConfigOption = None,
    seed: Annotated[int, typer.Option(help="The same seed on the same rows gives the same statements.")] = 42,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows in all (seed) or changes (burst, generate).")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so long; generate: 60 by default.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Changes per second of generate.")] = None,
    violations: Annotated[bool, typer.Option(help="Break rules as often as the scenario says, or never.")] = True,
    home: HomeOption = None,
    output_format: Annotated[SummaryFormat, typer.Option("--format", help="How to print the summary.")] = (
        SummaryFormat.TABLE
    ),
) -> None:
    """Write inserts, updates, deletes and deliberate rule violations into PostgreSQL, in real transactions."""
    tables = select_tables(use_case)
    model = load_use_case(tables, local_placeholders())
    scenario = load_scenario(scenario_path(tables), model)
    endpoints = read_endpoints(select_home(home))
    request = GenerationRequest(mode, seed, rows, seconds, rate, violations)
    with Console(stderr=True).status(f"{mode.value} …") as status:
        summary = generate_rows(
            model, scenario, endpoints, request, lambda sofar: status.update(f"{mode.value}: {sofar.changes:,} changes")
        )
    _print(summary, scenario, output_format)


def _print(summary: Summary, scenario: Scenario, output_format: SummaryFormat) -> None:
    if output_format is SummaryFormat.JSON:
        sys.stdout.write(json.dumps(summary.as_json(tuple(scenario.tables))) + "\n")
        return
    Console().print(_grid(summary, scenario))


def _grid(summary: Summary, scenario: Scenario) -> Grid:
    title = f"{summary.changes:,} changes in {summary.transactions:,} transactions, {summary.seconds:.1f} s"
    grid = Grid("table", "inserted", "updated", "deleted", "violations", title=title, title_justify="left")
    for name in scenario.tables:
        inserted, updated, deleted = (
            summary.operations[name, operation] for operation in ("INSERT", "UPDATE", "DELETE")
        )
        kinds = sorted(kind for of, kind in summary.violations if of == name)
        broken = ", ".join(f"{kind} {summary.violations[name, kind]}" for kind in kinds)
        grid.add_row(name, str(inserted), str(updated), str(deleted), broken)
    return grid
