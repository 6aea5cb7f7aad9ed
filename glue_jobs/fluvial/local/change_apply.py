"""Applies a change plan on this machine: the lake first, with the stream stopped, then whatever runs."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import PlanError
from fluvial.io.applied import note_tables, write_document
from fluvial.local.change_plan import applied_file, make_change_plan
from fluvial.local.home import Home
from fluvial.local.state_files import write_state
from fluvial.local.streaming import sole_writer, stop_streaming
from fluvial.plan.change_plan import ChangePlan
from fluvial.plan.effects import Effect

Rebuild = Callable[[UseCase, tuple[Table, ...], Home], Mapping[str, int]]
"""Derives the histories of some tables again from their logs; rows of each one afterwards."""


@dataclass(frozen=True)
class Applied:
    """What applying did: the plan it went by, tables derived again, tables whose note changed, what was put aside."""

    plan: ChangePlan
    rebuilt: Mapping[str, int]
    noted: tuple[str, ...]
    retired_checkpoint: str = ""


def apply_to_lake(use_case: UseCase, home: Home, wanted: str | None, rebuild: Rebuild) -> Applied:
    """Stops the stream, plans once more, derives histories again, notes the configuration.

    Raises PlanError for a plan that is refused, or another one than `wanted` names. A crash in between leaves a lake
    whose next plan says what is still to do.
    """
    check_plan(make_change_plan(use_case, home), wanted)
    stop_streaming(use_case.name, home)
    with sole_writer(use_case, home, "fluvial apply"):
        # Counted again: until a moment ago, the stream went on.
        plan = make_change_plan(use_case, home)
        check_plan(plan, wanted)
        tables = tuple(use_case.table(table.name) for table in plan.tables if table.effect is Effect.REDERIVED)
        rebuilt = rebuild(use_case, tables, home) if tables else {}
        retired = _retire_checkpoint(plan, use_case, home)
        noted = note_tables(use_case, home.lake)
        write_document(use_case, applied_file(use_case.name, home), write_state)
    _note_run(plan, home)
    return Applied(plan, rebuilt, noted, retired)


def check_plan(plan: ChangePlan, wanted: str | None) -> None:
    """Raises PlanError where the plan may not, or no longer, be applied."""
    if plan.refusals:
        raise PlanError("refused:\n  " + "\n  ".join(plan.refusals), "change tables.yaml so that `fluvial plan` agrees")
    if wanted is not None and wanted != plan.hash:
        raise PlanError(
            f"the plan {wanted} is stale: it would be {plan.hash} now",
            "look at `fluvial plan` again: the configuration, or what runs, has changed since",
        )


def _retire_checkpoint(plan: ChangePlan, use_case: UseCase, home: Home) -> str:
    """Puts the checkpoint aside where a topic is no longer read: Spark takes such a topic for lost data.

    The stream then reads the others from their beginning, and what the log knows counts as duplicates. What is known
    of tables that are parked stays where it is.
    """
    before = {table["topic"] for table in (plan.before or {}).get("tables", {}).values()}
    checkpoint = Path(Locations(use_case, home.lake).checkpoint)
    if not before - {table.topic for table in use_case.tables} or not checkpoint.exists():
        return ""
    retired = _free(checkpoint.with_name(f"{checkpoint.name}.before-{plan.hash}"))
    checkpoint.rename(retired)
    _keep_parked(retired, Path(Locations(use_case, home.lake).parked), use_case)
    return str(retired)


def _free(path: Path) -> Path:
    """The path, or the first with a number behind it, where nothing is."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return path if not path.exists() else next(each for each in numbered if not each.exists())


def _keep_parked(retired: Path, parked: Path, use_case: UseCase) -> None:
    """Puts back what is known of the tables that there still are."""
    files = (retired / parked.name / f"{table.name}.json" for table in use_case.tables)
    for file in filter(Path.exists, files):
        parked.mkdir(parents=True, exist_ok=True)
        file.rename(parked / file.name)


def _note_run(plan: ChangePlan, home: Home) -> None:
    """The audit: one line for each apply, who, when, which plan, how far it reached."""
    path = home.root / "applied" / f"{plan.use_case}.log"
    line = f"{datetime.now(UTC).isoformat()} uid={os.getuid()} plan={plan.hash} effect={plan.effect.value}\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)
