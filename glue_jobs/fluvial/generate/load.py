"""Loads scenario.yaml, within the limits of tables.yaml; every problem comes back at once, with its line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fluvial.config.document import Node
from fluvial.config.model import UseCase
from fluvial.config.source_file import SourceFile, read_source_file
from fluvial.errors import ConfigError, Problem
from fluvial.generate.check import Place, check_scenario
from fluvial.generate.scenario import Scenario

_CODE = "S001"


def load_scenario(path: Path, use_case: UseCase) -> Scenario:
    """The scenario, checked against the tables it writes to; raises ConfigError."""
    if not path.exists():
        hint = "put a scenario.yaml beside the use case's tables.yaml"
        raise ConfigError([Problem(str(path), 0, 0, _CODE, "can't be read: no such file", hint)])
    file = read_source_file(path, "start with `tables:`")
    if file.document.findings:
        raise ConfigError(file.problems(file.document.findings))
    try:
        scenario = Scenario.model_validate(_plain(file.document.root))
    except ValidationError as error:
        found = [(item["loc"], _message(item["msg"], item["type"])) for item in error.errors()]
        raise ConfigError(_problems(file, found)) from error
    if disagreements := check_scenario(scenario, use_case):
        raise ConfigError(_problems(file, disagreements))
    return scenario


def _plain(node: Node | None) -> Any:
    """The tree as dicts, lists and scalars."""
    value = node.value if node else None
    if isinstance(value, dict):
        return {key: _plain(member) for key, (_, member) in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _message(message: str, kind: str) -> str:
    return "unknown key" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


def _problems(file: SourceFile, found: Iterable[tuple[Place, str]]) -> list[Problem]:
    problems = []
    for place, message in found:
        span = file.document.span(place, at_key=True)
        where = ".".join(str(part) for part in place)
        problems.append(Problem(str(file.path), span.line, span.column, _CODE, f"{where}: {message}"))
    return sorted(problems, key=lambda problem: (problem.line, problem.column))
