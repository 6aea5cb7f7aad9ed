"""What went wrong, in one line: Spark and py4j wrap the sentence that matters into pages."""

from typing import Any, Final

from py4j.protocol import Py4JJavaError

from fluvial.errors import FluvialError

_LONGEST: Final = 400


def reason(error: Exception) -> str:
    """What `cause` says; of our own errors with what to do."""
    return "; ".join(filter(None, (cause(error), error.hint if isinstance(error, FluvialError) else "")))


def cause(error: Exception) -> str:
    """The first line of the innermost message. Our own are never cut: half of an advice may do harm."""
    if isinstance(error, FluvialError):
        return _first_line(error.message)
    text = _java_message(error.java_exception) if isinstance(error, Py4JJavaError) else str(error)
    return _first_line(text)[:_LONGEST]


def _first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")


def _java_message(exception: Any) -> str:
    while exception.getCause() is not None:
        exception = exception.getCause()
    return str(exception.toString())
