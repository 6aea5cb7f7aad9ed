"""Problems as a SARIF 2.1.0 log, which code scanners read."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from fluvial.config.codes import Code
from fluvial.errors import Problem

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(problems: Sequence[Problem]) -> dict[str, Any]:
    """One run, its rules those codes that were found."""
    codes = sorted({problem.code for problem in problems})
    driver = {"name": "fluvial", "version": version("fluvial"), "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    name = _NAMES.get(code, code)
    text = name.replace("_", " ").lower()
    pascal = "".join(word.capitalize() for word in name.split("_"))
    return {"id": code, "name": pascal, "shortDescription": {"text": text}}


_NAMES: Final = {code.value: code.name for code in Code}


def _result(problem: Problem, rule_index: int) -> dict[str, Any]:
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file)}}
    if problem.line:
        place["region"] = _region(problem)
    return {
        "ruleId": problem.code,
        "ruleIndex": rule_index,
        "level": "warning" if problem.is_warning else "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _region(problem: Problem) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": problem.line}
    if problem.column:
        region |= {"startColumn": problem.column, "endColumn": problem.column + problem.length}
    return region | ({"snippet": {"text": problem.source}} if problem.source else {})


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
