"""Problems of configuration files as text for people, JSON for programs, annotations for GitHub, SARIF for scanners."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

import typer

from fluvial.cli.sarif import sarif_log
from fluvial.config.guarantee import as_words, describe
from fluvial.config.model import UseCase
from fluvial.errors import Problem

_WIDTH: Final = 110
"""Characters of a source line that are shown around its problem."""


class ReportFormat(StrEnum):
    """How the problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@dataclass(frozen=True)
class Report:
    """What was checked and found; `use_cases` are those that can be used."""

    files: int
    problems: Sequence[Problem]
    use_cases: Sequence[UseCase] = ()

    @property
    def errors(self) -> int:
        """Problems that make a file unusable."""
        return sum(not problem.is_warning for problem in self.problems)


def merged_report(reports: Iterable[Report]) -> Report:
    """Several reports as one."""
    found = list(reports)
    return Report(
        sum(report.files for report in found),
        [problem for report in found for problem in report.problems],
        [use_case for report in found for use_case in report.use_cases],
    )


def render_report(report: Report, report_format: ReportFormat) -> str:
    """The whole report in one of its formats."""
    return _RENDERERS[report_format](report)


def _as_text(report: Report) -> str:
    problems = ["\n".join(_text_lines(problem)) for problem in report.problems]
    levels = [line for use_case in report.use_cases for line in describe(use_case)] if not report.errors else []
    return "\n".join([*problems, *levels, _summary(report)])


def _text_lines(problem: Problem) -> Iterator[str]:
    colour = typer.colors.YELLOW if problem.is_warning else typer.colors.RED
    yield f"{typer.style(problem.place, bold=True)} {typer.style(problem.code, fg=colour)} {problem.message}"
    yield from _excerpt(problem)
    if problem.expected and problem.hint.startswith("did you mean"):
        yield f"  expected {problem.expected}"
    if problem.hint:
        yield f"  -> {problem.hint}"


def _excerpt(problem: Problem) -> Iterator[str]:
    """The source line, cut around the problem, with a caret under each character that is meant."""
    if not problem.source or not problem.column:
        return
    start = max(0, problem.column - 1 - _WIDTH // 2) if len(problem.source) > _WIDTH else 0
    shown = problem.source[start : start + _WIDTH]
    margin = f"{problem.line:>6} | "
    indent = len(margin) + problem.column - 1 - start
    yield margin + shown
    yield " " * indent + "^" * min(problem.length, max(1, len(margin) + len(shown) - indent))


def _summary(report: Report) -> str:
    warnings = len(report.problems) - report.errors
    counts = [_count(number, noun) for number, noun in ((report.errors, "problem"), (warnings, "warning")) if number]
    return f"{_count(report.files, 'file')}: {', '.join(counts) or 'no problems'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _as_json(report: Report) -> str:
    problems = [{**asdict(problem), "level": _level(problem)} for problem in report.problems]
    guarantees = [level for use_case in report.use_cases for level in as_words(use_case)]
    body = {"valid": not report.errors, "files": report.files, "problems": problems, "guarantees": guarantees}
    return json.dumps(body, indent=2, ensure_ascii=False)


def _level(problem: Problem) -> str:
    return "warning" if problem.is_warning else "error"


def _as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows beside the line in a pull request."""
    return "\n".join([*map(_annotation, report.problems), _summary(report)])


def _annotation(problem: Problem) -> str:
    properties = {"file": problem.file, "title": f"{problem.code} {problem.message}"}
    if problem.line:
        properties |= {"line": str(problem.line), "endLine": str(problem.line)}
    if problem.column:
        properties |= {"col": str(problem.column), "endColumn": str(problem.column + problem.length)}
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    told = ",".join(f"{name}={_escaped_property(value)}" for name, value in properties.items())
    return f"::{_level(problem)} {told}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _as_sarif(report: Report) -> str:
    return json.dumps(sarif_log(report.problems), indent=2, ensure_ascii=False)


_RENDERERS: Final[Mapping[ReportFormat, Callable[[Report], str]]] = {
    ReportFormat.TEXT: _as_text,
    ReportFormat.JSON: _as_json,
    ReportFormat.GITHUB: _as_github,
    ReportFormat.SARIF: _as_sarif,
}
