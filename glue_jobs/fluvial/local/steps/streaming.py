"""STREAMING and STOP_STREAMING: the streaming job as a process."""

from fluvial.config.model import UseCase
from fluvial.local.home import Home
from fluvial.local.streaming import process_name, start_streaming, stop_streaming
from fluvial.local.use_case_files import tables_path
from fluvial.plan.steps import Step


def start_job(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Starts the job and waits until it runs."""
    return {"process": process_name(use_case.name), "change": start_streaming(tables_path(use_case, step.inputs), home)}


def stop_job(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Stops the job after its micro-batch."""
    return {"process": process_name(use_case.name), "stopped": stop_streaming(use_case.name, home)}
