"""`fluvial validate`: every problem of every tables.yaml, with its line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from fluvial.cli.problem_report import Report, ReportFormat, render_report
from fluvial.config.guarantee import describe
from fluvial.config.load import FILE_NAME, check_use_case, resolve_use_case_path
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError, FluvialError, Problem

_WRONG: Final = 1
_UNKNOWN: Final = 2


def validate(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders or use cases; all of config/ if none is given.", show_default=False),
    ] = None,
    report_format: Annotated[ReportFormat, typer.Option("--format", help="How to print the problems.")] = (
        ReportFormat.TEXT
    ),
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems.")] = False,
) -> None:
    """Check tables.yaml without starting anything. Status 0: right, 1: a problem, 2: couldn't check."""
    try:
        names = targets or _all_use_cases(Path("config"))
    except FluvialError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(_UNKNOWN) from error
    checked = [_check(name) for name in names]
    report = Report(len(names), [problem for problems, _ in checked for problem in problems])
    if report_format is ReportFormat.TEXT and not report.errors:
        for line in (line for _, lines in checked for line in lines):
            typer.echo(line)
    typer.echo(render_report(report, report_format))
    if report.errors or (strict and report.problems):
        raise typer.Exit(_WRONG)


def _all_use_cases(config_dir: Path) -> list[str]:
    if found := sorted(str(path) for path in config_dir.glob(f"*/{FILE_NAME}")):
        return found
    raise FluvialError(f"no use case in {config_dir.absolute()}", f"give the path of a {FILE_NAME}")


def _check(name: str) -> tuple[Sequence[Problem], Sequence[str]]:
    """The problems of a file, and, where it can be used, how far its histories can be trusted."""
    try:
        checked = check_use_case(resolve_use_case_path(name), local_placeholders())
    except ConfigError as error:
        return error.problems, ()
    return checked.warnings, describe(checked.use_case)
