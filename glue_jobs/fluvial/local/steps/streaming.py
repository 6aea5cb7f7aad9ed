"""STREAMING and STOP_STREAMING: the streaming job as a process, with a configuration that suits what is stored."""

from fluvial.config.model import UseCase
from fluvial.errors import PlanError
from fluvial.io.applied import note_tables, read_applied, write_document
from fluvial.local.change_plan import applied_file, make_change_plan
from fluvial.local.home import Home
from fluvial.local.state_files import write_state
from fluvial.local.streaming import is_streaming, process_name, start_streaming, stop_streaming
from fluvial.local.use_case_files import tables_path
from fluvial.plan.configuration import use_case_document
from fluvial.plan.effects import Effect
from fluvial.plan.steps import Step


def start_job(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Starts the job and waits until it runs; raises PlanError for an edit that only `fluvial apply` may bring."""
    _check_edits(use_case, home)
    if not is_streaming(use_case, home):
        note_tables(use_case, home.lake)
    change = start_streaming(tables_path(use_case, step.inputs), home)
    write_document(use_case, applied_file(use_case.name, home), write_state)
    return {"process": process_name(use_case.name), "change": change}


def stop_job(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Stops the job after its micro-batch."""
    return {"process": process_name(use_case.name), "stopped": stop_streaming(use_case.name, home)}


def _check_edits(use_case: UseCase, home: Home) -> None:
    """Whatever only concerns what comes next needs no plan; what is stored is changed by `fluvial apply` alone."""
    if read_applied(use_case, home.lake, applied_file(use_case.name, home)) in (None, use_case_document(use_case)):
        return
    plan = make_change_plan(use_case, home, with_live=False)
    if plan.effect in {Effect.REDERIVED, Effect.REFUSED}:
        raise PlanError(
            f"tables.yaml was edited in a way that concerns what is stored already ({plan.effect.value})",
            "`fluvial plan` shows what it would do, `fluvial apply` does it",
        )
