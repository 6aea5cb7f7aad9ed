"""`fluvial validate`: every problem of every tables.yaml, with its line."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from fluvial.cli.problem_report import Report, ReportFormat, merged_report, render_report
from fluvial.config.load import FILE_NAME, CheckedUseCase, check_use_case, resolve_use_case_path
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError, FluvialError, Problem

Check = Callable[[CheckedUseCase], Sequence[Problem]]

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
    live: Annotated[bool, typer.Option("--live", help="Check the running source as well; changes nothing.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            envvar="FLUVIAL_SOURCE",
            help="With --live: libpq connection string, the password in PGPASSWORD or ~/.pgpass.",
        ),
    ] = None,
    home: Annotated[Path | None, typer.Option("--home", help="With --live: state directory of the stack.")] = None,
) -> None:
    """Check tables.yaml without starting anything. Status 0: right, 1: a problem, 2: couldn't check."""
    try:
        names = targets or _all_use_cases(Path("config"))
        check = partial(_live_problems, source=source, home=home) if live else _no_more
        report = merged_report(_report(name, check) for name in names)
    except FluvialError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(_UNKNOWN) from error
    typer.echo(render_report(report, report_format))
    if report.errors or (strict and report.problems):
        raise typer.Exit(_WRONG)


def _all_use_cases(config_dir: Path) -> list[str]:
    if found := sorted(str(path) for path in config_dir.glob(f"*/{FILE_NAME}")):
        return found
    raise FluvialError(f"no use case in {config_dir.absolute()}", f"give the path of a {FILE_NAME}")


def _report(name: str, check: Check) -> Report:
    try:
        checked = check_use_case(resolve_use_case_path(name), local_placeholders())
    except ConfigError as error:
        return Report(1, error.problems)
    return Report(1, [*checked.warnings, *check(checked)], [checked.use_case])


def _no_more(checked: CheckedUseCase) -> Sequence[Problem]:
    return ()


def _live_problems(checked: CheckedUseCase, source: str | None, home: Path | None) -> Sequence[Problem]:
    from fluvial.cli.live import live_problems  # noqa: PLC0415 - the driver isn't needed without --live

    return live_problems(checked, source, home)
