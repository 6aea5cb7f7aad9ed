"""What went wrong, in one line: Spark and py4j wrap the sentence that matters into pages."""

from typing import Any, Final

from py4j.protocol import Py4JJavaError

from fluvial.errors import FluvialError

_LONGEST: Final = 400
_OURS: Final = "fluvial.errors."


def reason(error: Exception) -> str:
    """The first line of the innermost message; of our own errors with what to do."""
    if isinstance(error, FluvialError):
        return "; ".join(filter(None, (first_line(error.message), error.hint)))
    return first_line(_java_message(error.java_exception) if isinstance(error, Py4JJavaError) else str(error))


def own_message(text: str) -> str:
    """The first line of our own error inside the one that py4j wraps around it, else of the text itself."""
    _, found, rest = text.partition(_OURS)
    return first_line(rest if found else text)


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:_LONGEST]


def _java_message(exception: Any) -> str:
    while exception.getCause() is not None:
        exception = exception.getCause()
    return str(exception.toString())
