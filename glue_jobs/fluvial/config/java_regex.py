"""Whether a pattern is one that Java, and so Spark, accepts; judged without a JVM, by way of Python's own compiler.

What only Java knows is replaced by something of the same shape; what only Python knows is refused.
"""

import re
import warnings
from typing import Final

_ESCAPES: Final = {
    "h": r"\s", "H": r"\S", "V": r"\S", "R": r"\s", "X": ".", "G": "", "z": r"\Z", "e": r"\x1b",
}  # fmt: skip
_PROPERTY: Final = re.compile(r"\\[pP](\{\^?[A-Za-z0-9_=\- ]+\}|[A-Z])")
_LONG_ESCAPE: Final = re.compile(r"\\x\{[0-9A-Fa-f]{1,6}\}|\\N\{[A-Za-z0-9 -]+\}|\\c.|\\b\{g\}", re.DOTALL)
_BACK_REFERENCE: Final = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>")
_FLAGS: Final = re.compile(r"\(\?[idmsuxU]*(?:-[idmsuxU]+)?([:)])")
_REPETITION: Final = re.compile(r"\{\d+(,\d*)?\}")
_NOT_JAVA: Final = {
    "(?P": "(?P<name>…) is Python's spelling; Java writes (?<name>…)",
    "(?(": "Java has no conditional groups",
    "(?#": "Java has no (?#…) comments",
    "(?a": "Java has no flag a",
    "(?L": "Java has no flag L",
}


def regex_error(pattern: str) -> str:
    """What is wrong with the pattern; empty where Java can compile it."""
    try:
        translated = _translate(pattern)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(translated)
    except re.error as error:
        # Java looks behind over a bounded width, Python over a fixed one only.
        return "" if "look-behind" in str(error) else error.msg
    except (OverflowError, RecursionError):
        return "too large"
    return ""


def _translate(pattern: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        part, position = _next_part(pattern, position)
        parts.append(part)
    return "".join(parts)


def _next_part(pattern: str, position: int) -> tuple[str, int]:
    match pattern[position]:
        case "\\":
            return _escape(pattern, position)
        case "[":
            return _character_class(pattern, position)
        case "(":
            return _group(pattern, position)
        case "{":
            if (found := _REPETITION.match(pattern, position)) is None:
                raise re.error("Java reads { as a repetition; write \\{ for the character")
            return found[0], found.end()
        case character:
            return character, position + 1


def _escape(pattern: str, position: int) -> tuple[str, int]:
    letter = pattern[position + 1 : position + 2]
    if letter == "Q":
        end = pattern.find("\\E", position)
        text = pattern[position + 2 : end if end >= 0 else None]
        return re.escape(text), end + 2 if end >= 0 else len(pattern)
    if (found := _BACK_REFERENCE.match(pattern, position)) is not None:
        return f"(?P={found[1]})", found.end()
    if (found := _PROPERTY.match(pattern, position)) is not None:
        return r"\w", found.end()
    if (found := _LONG_ESCAPE.match(pattern, position)) is not None:
        return "x" if found[0] != r"\b{g}" else r"\b", found.end()
    if letter == "U":
        raise re.error(r"Java has no \U escape; write \x{…}")
    return _ESCAPES.get(letter, "\\" + letter), position + 2


def _character_class(pattern: str, position: int) -> tuple[str, int]:
    """A class with unions or intersections inside becomes any word character: Python has neither."""
    parts = ["["]
    is_nested = False
    position += 1
    while (rest := pattern[position:]) and not rest.startswith("]"):
        if rest.startswith("["):
            _, position = _character_class(pattern, position)
            is_nested = True
        elif rest.startswith("\\"):
            part, position = _escape(pattern, position)
            parts.append(part)
        else:
            is_nested = is_nested or rest.startswith("&&")
            parts.append(rest[0])
            position += 1
    if not rest:
        raise re.error("a character class isn't closed; inside [ ], Java wants \\[ for the character [")
    return r"\w" if is_nested else "".join(parts) + "]", position + 1


def _group(pattern: str, position: int) -> tuple[str, int]:
    start = pattern[position : position + 3]
    if start in _NOT_JAVA:
        raise re.error(_NOT_JAVA[start])
    if (found := _FLAGS.match(pattern, position)) is not None:
        return "(?:" if found[1] == ":" else "", found.end()
    if start == "(?<" and pattern[position + 3 : position + 4].isalpha():
        return "(?P<", position + 3
    return "(", position + 1
