"""From tables.yaml to a UseCase, or to a ConfigError that holds every problem at once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from fluvial.config.codes import Code
from fluvial.config.document import Node
from fluvial.config.extended_model import table_model, use_case_model
from fluvial.config.extensions import ExtensionError, Registered, load_extensions
from fluvial.config.findings import MOST_FINDINGS, Finding, describe, did_you_mean
from fluvial.config.findings import Path as Place
from fluvial.config.meaning import between_tables, use_case_findings
from fluvial.config.model import UseCase
from fluvial.config.placeholders import UnknownPlaceholderError, resolve_placeholders
from fluvial.config.references import resolve_references
from fluvial.config.salvage import Salvaged, salvage_tables
from fluvial.config.schema_place import described_by
from fluvial.config.settings import EXTENSION_NAME
from fluvial.config.shape import shape_findings
from fluvial.config.source_file import SourceFile, read_source_file
from fluvial.errors import ConfigError, Problem

FILE_NAME: Final = "tables.yaml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NAME_HINT: Final = "letters, digits, dots, dashes and underscores, 63 at most, a letter or digit first"
_UNKNOWN_KINDS: Final = (Code.UNKNOWN_RULE, Code.UNKNOWN_TRANSFORM)


@dataclass(frozen=True)
class CheckedUseCase:
    """A use case that can be used, the file it came from, and the warnings about it."""

    use_case: UseCase
    file: SourceFile
    warnings: tuple[Problem, ...]


def load_use_case(path: Path, placeholders: Mapping[str, str] | None = None) -> UseCase:
    """The use case of a tables.yaml, named after its folder; raises ConfigError with every problem.

    A `${NAME}` is looked up in `placeholders`, then in the environment.
    """
    return check_use_case(path, placeholders).use_case


def check_use_case(path: Path, placeholders: Mapping[str, str] | None = None) -> CheckedUseCase:
    """`load_use_case`, with the warnings; where there is an error they are part of the ConfigError."""
    file = read_source_file(path)
    values = {} if placeholders is None else placeholders
    data, findings = _plain_data(file, values)
    findings += resolve_references(data, path.absolute().parent)
    registered, unloadable = _registered(data, path.absolute().parent)
    with described_by(use_case_model(registered)):
        use_case, more = _use_case(data, path.absolute().parent.name, registered)
    if unloadable:
        more = [*unloadable, *(finding for finding in more if finding.code not in _UNKNOWN_KINDS)]
    problems = file.problems([*file.document.findings, *findings, *more])
    if use_case is None or not all(problem.is_warning for problem in problems):
        raise ConfigError(problems)
    return CheckedUseCase(use_case, file, tuple(problems))


def resolve_use_case_path(name_or_path: str, config_dir: Path = Path("config")) -> Path:
    """The tables.yaml behind a use case's name, its folder or the file itself; raises ConfigError."""
    given = Path(name_or_path)
    for candidate in (given, given / FILE_NAME, config_dir / name_or_path / FILE_NAME):
        if candidate.is_file():
            return candidate
    known = [file.parent.name for file in config_dir.glob(f"*/{FILE_NAME}")]
    hint = did_you_mean(given.name, known) if known else f"no use case in {config_dir}: give the path of a {FILE_NAME}"
    raise ConfigError([Problem(name_or_path, 0, 0, Code.UNREADABLE, "no such use case or file", hint)])


def _plain_data(file: SourceFile, values: Mapping[str, str]) -> tuple[dict[str, Any], list[Finding]]:
    """The tree as dicts, lists and scalars, its placeholders resolved."""
    findings: list[Finding] = []
    known = {**os.environ, **values}

    def plain(node: Node, path: Place) -> Any:
        if isinstance(node.value, dict):
            return {key: plain(value, (*path, key)) for key, (_, value) in node.value.items()}
        if isinstance(node.value, list):
            return [plain(item, (*path, position)) for position, item in enumerate(node.value)]
        return resolved(node.value, path) if isinstance(node.value, str) else node.value

    def resolved(text: str, path: Place) -> str:
        try:
            return resolve_placeholders(text, known)
        except UnknownPlaceholderError as error:
            if len(findings) < MOST_FINDINGS:
                findings.append(_placeholder_finding(path, error.name, values))
            return text

    assert file.document.root is not None
    return plain(file.document.root, ()), findings


def _placeholder_finding(path: Place, name: str, values: Mapping[str, str]) -> Finding:
    hint = f"{did_you_mean(name, values)}; or set it in the environment; $${{ is a plain ${{"
    return Finding(path, Code.UNKNOWN_PLACEHOLDER, f"placeholder ${{{name}}} has no value", hint)


def _registered(data: Mapping[str, Any], folder: Path) -> tuple[Registered, list[Finding]]:
    """What the file that `settings.extensions` names registers; nothing where it can't be used."""
    settings = data.get("settings")
    name = settings.get("extensions") if isinstance(settings, dict) else None
    if not isinstance(name, str) or not re.fullmatch(EXTENSION_NAME, name):
        return Registered(), []  # the model tells what is wrong with it; no such name may lead to a file
    try:
        return load_extensions(name, folder), []
    except ExtensionError as error:
        hint = "see docs/how-to/own-rules.md for one that works"
        return Registered(), [Finding(("settings", "extensions"), Code.UNUSABLE_EXTENSION, str(error), hint)]


def _use_case(data: dict[str, Any], name: str, registered: Registered) -> tuple[UseCase | None, list[Finding]]:
    findings = [_named_in_file()] if "name" in data else []
    if not _NAME.fullmatch(name):
        message = f"the folder's name {describe(name)} can't name a use case"
        findings.append(
            Finding((), Code.WRONG_USE_CASE_NAME, message, f"rename the folder: {_NAME_HINT}", _NAME_HINT, name)
        )
    use_case: UseCase | None = None
    try:
        use_case = use_case_model(registered).model_validate({**data, "name": name})
    except ValidationError as error:
        findings.extend(shape_findings(error))
        tables = salvage_tables(data.get("tables"), table_model(registered))
    else:
        findings.extend(use_case_findings(use_case))
        tables = [Salvaged(position, table) for position, table in enumerate(use_case.tables)]
    for salvaged in tables:
        findings.extend(salvaged.findings())
    findings.extend(between_tables([(salvaged.position, salvaged.table) for salvaged in tables]))
    return use_case, findings


def _named_in_file() -> Finding:
    return Finding(("name",), Code.UNKNOWN_KEY, "unknown key 'name'", "the folder names the use case", at_key=True)
