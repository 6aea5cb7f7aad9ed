"""YAML as a tree that knows its lines; refuses, before anything is built, what only an attacker would write.

Scalars follow YAML 1.2: `no`, `on` and `2024-01-31` are text, and so is a number that would lose digits, like `007`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import yaml

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, Path, Span

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 30
MAX_ALIASES: Final = 100
MAX_NODES: Final = 100_000

# The parser in C is ten times as fast; wheels hold it on every platform we name.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,40})")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class DocumentError(Exception):
    """The text isn't usable YAML; line and column count from 1."""

    def __init__(self, code: Code, message: str, hint: str, line: int, column: int) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.line, self.column = code, message, hint, line, column


@dataclass
class Node:
    """One YAML value: a scalar, a list of nodes, or a dict of text to (key, value) nodes."""

    line: int
    column: int
    value: Any
    length: int = 1
    size: int = 1
    height: int = 1

    @property
    def span(self) -> Span:
        """Where it stands in the file."""
        return Span(self.line, self.column, self.length)


@dataclass
class Document:
    """The root and what is wrong without being fatal: a key written twice."""

    root: Node | None
    findings: list[Finding] = field(default_factory=list)

    def span(self, path: Path, *, at_key: bool = False) -> Span:
        """Where a path stands; parts that the file doesn't have are passed over."""
        node = place = self.root or Node(1, 1, None)
        for part in path:
            if isinstance(node.value, dict) and part in node.value:
                key, node = node.value[part]
                place = key if at_key else node
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                place = node = node.value[part]
        return place.span


def parse_document(text: str) -> Document:
    """The tree of one YAML document; raises DocumentError on broken or hostile text."""
    composer = _Composer(text)
    try:
        return Document(composer.compose_root(), composer.findings)
    except yaml.YAMLError as error:
        raise _syntax_error(error) from error


def _syntax_error(error: yaml.YAMLError) -> DocumentError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    hint = "indent with spaces, and quote a text that holds any of : # { } [ ] , & * or starts with % @ `"
    return DocumentError(Code.NOT_YAML, f"not YAML: {reason}", hint, line, column)


class _Composer:
    """Events to nodes in one pass, counting as it goes."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._nodes = 0
        self.findings: list[Finding] = []

    def compose_root(self) -> Node | None:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._compose(next(self._events), ())
        next(self._events)  # the end of the document
        if not isinstance(second := next(self._events), yaml.StreamEndEvent):
            raise _refusal(second, "more than one YAML document in the file", "remove the line that is only ---")
        return root

    def _compose(self, event: yaml.Event, path: Path) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        self._count(event, len(path) + 1, 1)
        if event.tag is not None:
            raise _refusal(event, f"YAML tag {event.tag}", "write the plain value")
        node = self._filled(Node(*_place(event), None, _length(event)), event, path)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _filled(self, node: Node, event: yaml.ScalarEvent | yaml.CollectionStartEvent, path: Path) -> Node:
        children: list[Node] = []
        if isinstance(event, yaml.ScalarEvent):
            node.value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = children = list(self._items(path))
        else:
            node.value = self._mapping(path)
            children = [value for _, value in node.value.values()]
        node.size += sum(child.size for child in children)
        node.height += max((child.height for child in children), default=0)
        return node

    def _items(self, path: Path) -> Iterator[Node]:
        position = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._compose(event, (*path, position))
            position += 1

    def _mapping(self, path: Path) -> dict[str, tuple[Node, Node]]:
        entries: dict[str, tuple[Node, Node]] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            value = self._compose(next(self._events), (*path, key.value))
            if key.value == "<<":
                merged.extend(value.value if isinstance(value.value, list) else [value])
            elif key.value in entries:
                self._note_duplicate(key, entries[key.value][0], path)
            else:
                entries[key.value] = (key, value)
        for node in merged:
            entries = {**(node.value if isinstance(node.value, dict) else {}), **entries}
        return entries

    def _key(self, event: yaml.Event) -> Node:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise _refusal(event, "a key that isn't plain text", "write keys as single words")
        return Node(*_place(event), event.value, _length(event))

    def _note_duplicate(self, key: Node, first: Node, path: Path) -> None:
        message = f"key '{key.value}' is written twice; first on line {first.line}"
        self.findings.append(Finding(path, Code.DUPLICATE_KEY, message, "keep one of the two", span=key.span))

    def _alias(self, event: yaml.AliasEvent, path: Path) -> Node:
        self._aliases += 1
        if event.anchor not in self._anchors:
            raise _refusal(event, f"alias *{event.anchor} without an anchor before it", "write the value out")
        if self._aliases > MAX_ALIASES:
            raise _refusal(event, f"more than {MAX_ALIASES} aliases", "write the values out")
        node = self._anchors[event.anchor]
        self._count(event, len(path) + node.height, node.size)
        return node

    def _count(self, event: yaml.Event, depth: int, size: int) -> None:
        self._nodes += size
        if depth > MAX_DEPTH:
            raise _refusal(event, f"nested deeper than {MAX_DEPTH} levels", "flatten the structure")
        if self._nodes > MAX_NODES:
            raise _refusal(event, f"more than {MAX_NODES:,} values once aliases are written out", "split the use case")


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _length(event: yaml.Event) -> int:
    """Characters of a scalar that lies on one line; 1 for anything else."""
    start, end = event.start_mark, event.end_mark
    if not isinstance(event, yaml.ScalarEvent) or not start or not end or start.line != end.line:
        return 1
    return max(end.column - start.column, 1)


def _refusal(event: yaml.Event, message: str, hint: str) -> DocumentError:
    return DocumentError(Code.HOSTILE_YAML, f"refused: {message}", hint, *_place(event))


def _scalar(event: yaml.ScalarEvent) -> Any:
    if _UNSTORABLE.search(event.value):
        raise _refusal(event, "a NUL or half a surrogate pair", "no database stores it: remove it")
    is_plain = event.implicit[0]
    return _plain_scalar(event.value) if is_plain else event.value


def _plain_scalar(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and Decimal(text) == Decimal(repr(float(text))):
        return float(text)
    return text
