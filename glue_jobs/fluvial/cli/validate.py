"""`fluvial validate`: every problem of every tables.yaml, with its line."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fluvial.config.load import FILE_NAME, load_use_case, resolve_use_case_path
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError, FluvialError, Problem


class ReportFormat(StrEnum):
    """How the problems are written."""

    TEXT = "text"
    JSON = "json"


def validate(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders or use cases; all of config/ if none is given.", show_default=False),
    ] = None,
    report_format: Annotated[ReportFormat, typer.Option("--format", help="How to print the problems.")] = (
        ReportFormat.TEXT
    ),
) -> None:
    """Check tables.yaml without starting anything; exit status 1 if there is a problem."""
    names = targets or _all_use_cases(Path("config"))
    problems = [problem for name in names for problem in _problems(name)]
    report = _as_json if report_format is ReportFormat.JSON else _as_text
    typer.echo(report(len(names), problems))
    if problems:
        raise typer.Exit(1)


def _all_use_cases(config_dir: Path) -> list[str]:
    if found := sorted(str(path) for path in config_dir.glob(f"*/{FILE_NAME}")):
        return found
    raise FluvialError(f"no use case in {config_dir.absolute()}", f"give the path of a {FILE_NAME}")


def _problems(name: str) -> Sequence[Problem]:
    try:
        load_use_case(resolve_use_case_path(name), local_placeholders())
    except ConfigError as error:
        return error.problems
    return ()


def _as_text(files: int, problems: Sequence[Problem]) -> str:
    checked = _count(files, "file")
    if not problems:
        return f"{checked}: no problems"
    return "\n".join([*map(str, problems), f"{checked}: {_count(len(problems), 'problem')}"])


def _as_json(files: int, problems: Sequence[Problem]) -> str:
    report = {"valid": not problems, "files": files, "problems": [asdict(problem) for problem in problems]}
    return json.dumps(report, indent=2, ensure_ascii=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
