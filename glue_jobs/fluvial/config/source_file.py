"""A tables.yaml, or a scenario.yaml, as it lies on disk: its tree, and problems told with the line they stand on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from fluvial.config.codes import Code
from fluvial.config.document import MAX_BYTES, Document, DocumentError, parse_document
from fluvial.config.findings import Finding, Span, describe, printable
from fluvial.errors import ConfigError, Problem

_LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML takes for one."""
_ESCAPE: Final = re.compile(r"\\|''")
"""With one in it, the places of a text's characters aren't those in the file."""
_START: Final = "start with `settings:`, `kafka:` and `tables:`"
_LONGEST_LINE: Final = 2_000
"""Of the lines that are shown: a problem for each value of a long list would repeat it each time."""


@dataclass(frozen=True)
class SourceFile:
    """A file whose root is a mapping."""

    path: Path
    text: str
    document: Document

    @cached_property
    def lines(self) -> list[str]:
        """The text, one line after another."""
        return _LINE_BREAK.split(self.text)

    def problems(self, findings: Iterable[Finding]) -> list[Problem]:
        """In the order of the file; what stands at a broken placeholder says nothing more."""
        found: dict[tuple[Span, str, str], Problem] = {}
        unresolved: set[Span] = set()
        told = [(finding, self._span(finding)) for finding in findings]
        lines = _without(self.lines, [span for finding, span in told if finding.is_secret])
        for finding, span in told:
            if finding.code is Code.UNKNOWN_PLACEHOLDER:
                unresolved.add(span)
            elif span in unresolved:
                continue
            found.setdefault((span, finding.code, finding.message), _problem(self.path, lines, finding, span))
        return [found[key] for key in sorted(found)]

    def _span(self, finding: Finding) -> Span:
        span = finding.span or self.document.span(finding.path, at_key=finding.at_key)
        text = self.lines[span.line - 1][span.column - 1 :][: span.length] if span.line <= len(self.lines) else ""
        if not finding.position or len(text) < finding.position or _ESCAPE.search(text):
            return span
        quote = 1 if text[0] in "'\"" else 0
        return Span(span.line, span.column + finding.position - 1 + quote)


def read_source_file(path: Path, start: str = _START) -> SourceFile:
    """The file's tree; raises ConfigError where it can't be read, isn't YAML or hostile; `start` tells how to begin."""
    text = _text(path)
    try:
        document = parse_document(text)
    except DocumentError as error:
        broken = Finding((), error.code, error.message, error.hint)
        place = Span(error.line, error.column)
        raise ConfigError([_problem(path, _LINE_BREAK.split(text), broken, place)]) from error
    file = SourceFile(path, text, document)
    if finding := _not_a_mapping(document, start):
        raise ConfigError(file.problems([finding]))
    return file


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise _unreadable(path, f"larger than {MAX_BYTES // 1024} KiB", "split it into several use cases")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, str(error.strerror).lower(), "check the path and its permissions") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "not UTF-8 text", "save the file as UTF-8", line) from error


def _unreadable(path: Path, message: str, hint: str, line: int = 0) -> ConfigError:
    return ConfigError([Problem(str(path), line, 0, Code.UNREADABLE, message, hint)])


def _not_a_mapping(document: Document, start: str) -> Finding | None:
    root = document.root
    if root is not None and isinstance(root.value, dict):
        return None
    is_empty = root is None or root.value is None
    found = describe(root.value if root else None)
    message = "the file is empty" if is_empty else f"expected keys, found {found}"
    return Finding((), Code.NOT_A_MAPPING, message, start, "keys", found)


def _without(lines: Sequence[str], secrets: Sequence[Span]) -> list[str]:
    """The lines with stars in place of what may be a secret: messages end in logs and reports."""
    shown = list(lines)
    for line, column, length in secrets:
        text = shown[line - 1] if line <= len(shown) else ""
        shown[line - 1 : line] = [text[: column - 1] + "*" * length + text[column - 1 + length :]]
    return shown


def _excerpt(lines: Sequence[str], span: Span) -> str:
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    return printable(line.replace("\t", " ")) if len(line) <= _LONGEST_LINE else ""


def _problem(path: Path, lines: Sequence[str], finding: Finding, span: Span) -> Problem:
    return Problem(
        file=str(path),
        line=span.line,
        column=span.column,
        code=finding.code,
        message=printable(finding.message),
        hint=printable(finding.hint),
        expected=printable(finding.expected),
        found=printable(finding.found),
        source=_excerpt(lines, span),
        length=span.length,
    )
