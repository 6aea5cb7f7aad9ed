"""From tables.yaml to a UseCase, or to a ConfigError that holds every problem at once."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from fluvial.config.codes import Code
from fluvial.config.document import MAX_BYTES, Document, DocumentError, Node, parse_document
from fluvial.config.findings import Finding, describe, did_you_mean
from fluvial.config.findings import Path as Place
from fluvial.config.meaning import between_tables
from fluvial.config.model import UseCase
from fluvial.config.placeholders import UnknownPlaceholderError, resolve_placeholders
from fluvial.config.salvage import Salvaged, salvage_tables
from fluvial.config.shape import shape_findings
from fluvial.errors import ConfigError, Problem

FILE_NAME: Final = "tables.yaml"


def load_use_case(path: Path, placeholders: Mapping[str, str] | None = None) -> UseCase:
    """The use case of a tables.yaml, named after its folder; raises ConfigError with every problem.

    A `${NAME}` is looked up in `placeholders`, then in the environment.
    """
    document = _document(path)
    values = {} if placeholders is None else placeholders
    data, findings = _plain_data(document, values)
    use_case, more = _use_case(data, path.absolute().parent.name)
    if problems := _problems(path, document, [*document.findings, *findings, *more]):
        raise ConfigError(problems)
    assert use_case is not None  # no findings, so the model was built
    return use_case


def resolve_use_case_path(name_or_path: str, config_dir: Path = Path("config")) -> Path:
    """The tables.yaml behind a use case's name, its folder or the file itself; raises ConfigError."""
    given = Path(name_or_path)
    for candidate in (given, given / FILE_NAME, config_dir / name_or_path / FILE_NAME):
        if candidate.is_file():
            return candidate
    known = [file.parent.name for file in config_dir.glob(f"*/{FILE_NAME}")]
    hint = did_you_mean(given.name, known) if known else f"no use case in {config_dir}: give the path of a {FILE_NAME}"
    raise ConfigError([Problem(name_or_path, 0, 0, Code.UNREADABLE, "no such use case or file", hint)])


def _document(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise _unreadable(path, f"larger than {MAX_BYTES // 1024} KiB", "split it into several use cases")
        document = parse_document(raw.decode("utf-8-sig"))
    except OSError as error:
        raise _unreadable(path, str(error.strerror).lower(), "check the path and its permissions") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "not UTF-8 text", "save the file as UTF-8", line) from error
    except DocumentError as error:
        problem = Problem(str(path), error.line, error.column, error.code, error.message, error.hint)
        raise ConfigError([problem]) from error
    _require_mapping(path, document)
    return document


def _require_mapping(path: Path, document: Document) -> None:
    root = document.root
    if root is not None and isinstance(root.value, dict):
        return
    line, column = document.place(())
    message = (
        "the file is empty" if root is None or root.value is None else f"expected keys, found {describe(root.value)}"
    )
    hint = "start with `settings:`, `kafka:` and `tables:`"
    raise ConfigError([Problem(str(path), line, column, Code.NOT_A_MAPPING, message, hint)])


def _unreadable(path: Path, message: str, hint: str, line: int = 0) -> ConfigError:
    return ConfigError([Problem(str(path), line, 0, Code.UNREADABLE, message, hint)])


def _plain_data(document: Document, values: Mapping[str, str]) -> tuple[dict[str, Any], list[Finding]]:
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
            findings.append(_placeholder_finding(path, error.name, values))
            return text

    assert document.root is not None
    return plain(document.root, ()), findings


def _placeholder_finding(path: Place, name: str, values: Mapping[str, str]) -> Finding:
    hint = f"{did_you_mean(name, values)}; or set it in the environment; $${{ is a plain ${{"
    return Finding(path, Code.UNKNOWN_PLACEHOLDER, f"placeholder ${{{name}}} has no value", hint)


def _use_case(data: dict[str, Any], name: str) -> tuple[UseCase | None, list[Finding]]:
    findings = [_named_in_file()] if "name" in data else []
    use_case: UseCase | None = None
    try:
        use_case = UseCase.model_validate({**data, "name": name})
    except ValidationError as error:
        findings.extend(shape_findings(error))
        tables = salvage_tables(data.get("tables"))
    else:
        tables = [Salvaged(position, table) for position, table in enumerate(use_case.tables)]
    for salvaged in tables:
        findings.extend(salvaged.findings())
    findings.extend(between_tables([(salvaged.position, salvaged.table) for salvaged in tables]))
    return use_case, findings


def _named_in_file() -> Finding:
    return Finding(("name",), Code.UNKNOWN_KEY, "unknown key 'name'", "the folder names the use case", at_key=True)


def _problems(path: Path, document: Document, findings: Iterable[Finding]) -> list[Problem]:
    """In the order of the file; what stands at a broken placeholder says nothing more."""
    found: dict[tuple[int, int, str, str], Problem] = {}
    unresolved: set[tuple[int, int]] = set()
    for finding in findings:
        place = finding.place or document.place(finding.path, at_key=finding.at_key)
        if finding.code is Code.UNKNOWN_PLACEHOLDER:
            unresolved.add(place)
        elif place in unresolved:
            continue
        problem = Problem(str(path), *place, finding.code, finding.message, finding.hint)
        found.setdefault((*place, finding.code, finding.message), problem)
    return [found[key] for key in sorted(found)]
