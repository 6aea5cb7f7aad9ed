"""How long work tells what it is doing."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with a label, the units done and the units in total; a new label begins a new piece of work."""


def no_progress(label: str, done: int, total: int) -> None:
    """Tell nobody."""
