"""`fluvial resnapshot`: a new replication slot and a new snapshot, behind everything captured before."""

import json
from typing import Annotated

import typer

from fluvial.cli.selection import HomeOption, select_home, select_use_case
from fluvial.local.platform import run_step
from fluvial.plan.steps import Step, StepKind


def resnapshot(
    use_case: Annotated[str, typer.Argument(help="A use case, its folder or its tables.yaml.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    home: HomeOption = None,
) -> None:
    """Give up the slot and take the snapshot again, with the next epoch: for a slot that was lost or is unusable.

    Rows that changed meanwhile get a version, rows that are gone are closed by an inferred delete. What the old slot
    hadn't sent yet is lost, but for its result.
    """
    chosen = select_use_case(use_case)
    done = run_step(Step(StepKind.RESNAPSHOT.value, StepKind.RESNAPSHOT), chosen, select_home(home))
    if as_json:
        print(json.dumps(done, indent=2))
        return
    print(f"{chosen.name}: new slot {done['slot']}, snapshot complete, epoch {done['epoch']}")
    for names, said in (
        (done["empty_tables_truncated"], "empty, truncated so that the lake knows"),
        (done["empty_tables_not_truncated"], "empty, but PostgreSQL refuses to truncate it: its old rows stay current"),
    ):
        for name in names if isinstance(names, list) else ():
            print(f"  {name}: {said}")
