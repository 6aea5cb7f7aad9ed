"""Loads scenario.yaml; every problem comes back at once, with its line."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import ValidationError

from fluvial.config.model import UseCase
from fluvial.errors import ConfigError, Problem
from fluvial.generate.check import Place, check_scenario
from fluvial.generate.scenario import Scenario

_MAX_BYTES = 1_000_000
_CODE = "S001"


def load_scenario(path: Path, use_case: UseCase) -> Scenario:
    """The scenario, checked against the tables it writes to; raises ConfigError."""
    text = _read(path)
    try:
        scenario = Scenario.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = Problem(
            str(path), mark.line + 1 if mark else 0, 0, _CODE, f"not YAML: {getattr(error, 'problem', error)}"
        )
        raise ConfigError([problem]) from error
    except ValidationError as error:
        found = [(item["loc"], _message(item["msg"], item["type"])) for item in error.errors()]
        raise ConfigError(_problems(path, text, found)) from error
    if disagreements := check_scenario(scenario, use_case):
        raise ConfigError(_problems(path, text, disagreements))
    return scenario


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        hint = "put a scenario.yaml beside the use case's tables.yaml"
        raise ConfigError([Problem(str(path), 0, 0, _CODE, f"can't be read: {error.strerror}", hint)]) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([Problem(str(path), 0, 0, _CODE, f"has more than {_MAX_BYTES} bytes")])
    return raw.decode("utf-8", errors="replace")


def _message(message: str, kind: str) -> str:
    return "unknown key" if kind == "extra_forbidden" else message.removeprefix("Value error, ")


def _problems(path: Path, text: str, found: Iterable[tuple[Place, str]]) -> list[Problem]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    problems = []
    for place, message in found:
        line, column = _position(root, place)
        where = ".".join(str(part) for part in place)
        problems.append(Problem(str(path), line, column, _CODE, f"{where}: {message}"))
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def _position(node: yaml.Node | None, place: Place) -> tuple[int, int]:
    """Line and column of the deepest part of `place` that is in the file, both from 1."""
    mark = node.start_mark if node else None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            entries = {key.value: (key, value) for key, value in node.value}
            if part not in entries:
                continue  # pydantic names the chosen kind of a union in between
            key, node = entries[str(part)]
            mark = key.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
