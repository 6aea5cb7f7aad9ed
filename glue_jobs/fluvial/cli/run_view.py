"""How a run looks while it happens: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from fluvial.local.airflow_client import DagRun

_SHOWN_STATES: Final = {"success": "[green]done[/]", "failed": "[red]failed[/]", "up_for_retry": "[yellow]again[/]"}


class ConsoleRunView:
    """Prints a run's progress; `rest` before anything else is printed, and at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._bars = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._bar: TaskID | None = None
        self._label = ""
        self._states: dict[tuple[str, str], str] = {}

    def rest(self) -> None:
        """Takes the bar away; the next progress brings a new one."""
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bars.stop()
        self._bar, self._label = None, ""

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        self._console.print(f"[dim]{time.monotonic() - self._begun:6.1f} s[/]  {text}", highlight=False)

    def progress(self, label: str, done: int, total: int) -> None:
        """Moves the bar; a new label begins a new bar and says so in one line."""
        if label != self._label or self._bar is None:
            self.rest()
            self.say(label)
            self._bars.start()
            self._label, self._bar = label, self._bars.add_task(label, total=total or None)
        self._bars.update(self._bar, completed=done, total=total or None)

    def tasks(self, run: DagRun) -> None:
        """One line for each task that ended; the bar counts them."""
        for task, state in _changed(self._states, run).items():
            if state in _SHOWN_STATES:
                self.say(f"{run.dag_id}  {task}  {_SHOWN_STATES[state]}")
        self.progress(run.dag_id, sum(state == "success" for state in run.tasks.values()), len(run.tasks))


def _changed(known: dict[tuple[str, str], str], run: DagRun) -> Mapping[str, str]:
    changed = {task: state for task, state in run.tasks.items() if known.get((run.run_id, task)) != state}
    known.update({(run.run_id, task): state for task, state in changed.items()})
    return changed
