"""What is wrong, at a path inside the file; `load` turns the path into a line and a column."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, NamedTuple

from fluvial.config.codes import Code

Path = tuple[str | int, ...]
"""Keys and list positions from the root of the file."""

_SHOWN: Final = 60
MOST_FINDINGS: Final = 1_000
"""Of one kind: looking for the nearest word costs time, and nobody mends more in one go."""


class Span(NamedTuple):
    """Where something stands in the file: line and column from 1, and how many characters it has there."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class Finding:
    """One problem; `at_key` points at the key instead of its value, `span` is known where no path can name it.

    `position` is that of a character inside the value, from 1; 0 where the problem is the whole of it. What `is_secret`
    may be one that was written into the file: nobody repeats it.
    """

    path: Path
    code: Code
    message: str
    hint: str = ""
    expected: str = ""
    found: str = ""
    at_key: bool = False
    span: "Span | None" = None
    position: int = 0
    is_secret: bool = False

    def below(self, *prefix: str | int) -> "Finding":
        """The same finding, seen from further up."""
        return replace(self, path=(*prefix, *self.path))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest known word where there is one, else all of them."""
    words = sorted(known)
    if not words:
        return "leave it out: there are none"
    folded = {candidate.lower(): candidate for candidate in words}
    if nearest := get_close_matches(word.lower(), folded, n=1, cutoff=0.6):
        return f"did you mean '{folded[nearest[0]]}'?"
    return f"known: {', '.join(words)}"


def one_of(words: Iterable[str]) -> str:
    """What was expected, where only some words are known."""
    return f"one of {', '.join(words)}"


def printable(text: str) -> str:
    """The text with everything escaped that could move a terminal's cursor or turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def describe(value: object) -> str:
    """A value as an error message names it, cut to a readable length."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"'{value}'" if len(value) <= _SHOWN else f"'{value[:_SHOWN]}…'"
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"
