"""How commands of the local profile show what they are doing, and how its parts stand."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from fluvial.local.status import PartState, PartStatus

Show = Callable[[str, int, int], None]

COLOURS: Final = {
    PartState.RUNNING: "green",
    PartState.UNHEALTHY: "yellow",
    PartState.CRASHED: "red",
    PartState.STOPPED: "dim",
}


@contextmanager
def shown_progress() -> Iterator[Show]:
    """Bars on a terminal, else one line on stderr for each new piece of work."""
    if sys.stderr.isatty():
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:
            yield _bar_shower(bars)
    else:
        yield _line_shower()


def print_parts(parts: Sequence[PartStatus]) -> None:
    """A table on a terminal, else tab-separated lines."""
    if not sys.stdout.isatty():
        for part in parts:
            print("\t".join(_cells(part)))
        return
    table = Table("part", "state", "port", "pid", "MiB", "", box=None, pad_edge=False, header_style="bold")
    for part in parts:
        name, state, *rest = _cells(part)
        table.add_row(name, f"[{COLOURS[part.state]}]{state}[/]", *rest)
    Console().print(table)


def _cells(part: PartStatus) -> list[str]:
    numbers = ("" if number is None else str(number) for number in (part.port, part.pid, part.memory_mb))
    return [part.name, part.state.value, *numbers, part.detail]


def _bar_shower(bars: Progress) -> Show:
    tasks = {}

    def show(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = bars.add_task(label, total=total)
        bars.update(tasks[label], completed=done, total=total)

    return show


def _line_shower() -> Show:
    seen = set()

    def show(label: str, _done: int, _total: int) -> None:
        if label not in seen:
            seen.add(label)
            sys.stderr.write(f"{label} ...\n")
            sys.stderr.flush()

    return show
