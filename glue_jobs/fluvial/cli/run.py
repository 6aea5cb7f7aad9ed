"""`fluvial run`: everything, once, with a report at the end."""

import sys
import threading
from typing import Annotated

import typer
from rich.console import Console

from fluvial.cli.run_summary import print_access, print_next_commands, print_report
from fluvial.cli.run_view import ConsoleRunView
from fluvial.cli.selection import ConfigOption, HomeOption, select_home, select_tables
from fluvial.local.airflow_access import read_access
from fluvial.local.home import Home
from fluvial.local.run import RunRequest, run_use_case, watched_health
from fluvial.local.run_report import RunReport
from fluvial.local.run_session import run_session

_INTERRUPTED = 130
_WIDTH = 120


def run(
    use_case: ConfigOption = None,
    once: Annotated[bool, typer.Option("--once", help="End after the report, with everything stopped.")] = False,
    rows: Annotated[int | None, typer.Option(min=1, help="Changes of the burst; the usual number by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The generator's seed.")] = 42,
    home: HomeOption = None,
) -> None:
    """Start stack and Airflow, deploy, generate data, report; stay up until Ctrl-C unless --once or no terminal.

    Exit status: 0 where everything arrived, 1 where something failed or is missing, 130 interrupted before the report.
    """
    request = RunRequest(select_tables(use_case), rows, seed)
    is_once = once or not (sys.stdin.isatty() and sys.stdout.isatty())
    # Without a terminal rich assumes 80 columns and cuts names off.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    raise typer.Exit(_run(request, select_home(home), console, is_once=is_once))


def _run(request: RunRequest, home: Home, console: Console, *, is_once: bool) -> int:
    view, status, is_reported = ConsoleRunView(console), 0, False
    try:
        with run_session(home, view.progress):
            report = run_use_case(request, home, view)
            view.rest()
            _print(report, request, home, console, is_up=not is_once)
            status, is_reported = (1 if report.missing else 0), True
            if not is_once:
                console.print("\nEverything stays up. Ctrl-C stops it.")
                with watched_health(request, home):
                    threading.Event().wait()
    except KeyboardInterrupt:
        return status if is_reported else _INTERRUPTED
    finally:
        view.rest()
    return status


def _print(report: RunReport, request: RunRequest, home: Home, console: Console, *, is_up: bool) -> None:
    print_report(report, console)
    print_access(read_access(home), console)
    print_next_commands(request.tables, home, console, is_up=is_up)
