"""Which operator performs a step: chosen once, by FLUVIAL_PLATFORM."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from airflow.sdk import BaseOperator

from fluvial.errors import FluvialError
from fluvial.plan.steps import Step, StepKind
from fluvial_airflow.operators.local_step import LocalStepOperator
from fluvial_airflow.operators.recording_step import RecordingStepOperator

PLATFORM_VARIABLE: Final = "FLUVIAL_PLATFORM"
DEFAULT_PLATFORM: Final = "local"


class StepOperator(Protocol):
    """What makes a task of a step; `config` is the use case's tables.yaml."""

    def __call__(
        self,
        *,
        task_id: str,
        step: Step,
        config: str,
        retries: int,
        retry_delay: timedelta,
        execution_timeout: timedelta,
    ) -> BaseOperator:
        """The task, to be called inside a `with DAG(...)`."""


PLATFORMS: Final[Mapping[str, StepOperator]] = {"local": LocalStepOperator, "recording": RecordingStepOperator}

_TIMEOUT: Final = timedelta(minutes=10)
_TIMEOUTS: Final[Mapping[StepKind, timedelta]] = {
    StepKind.HEALTH: timedelta(minutes=2),
    StepKind.GENERATE: timedelta(hours=2),
}
_NOT_REPEATED: Final = frozenset({StepKind.GENERATE, StepKind.HEALTH})
"""Generating again would write other rows; a sick stream should be seen at once."""


def make_task(step: Step, config: Path) -> BaseOperator:
    """The task that performs a step on the chosen platform; raises FluvialError where that is unknown."""
    operator = _chosen_platform()
    return operator(
        task_id=step.id,
        step=step,
        config=str(config),
        retries=0 if step.kind in _NOT_REPEATED else 1,
        retry_delay=timedelta(seconds=5),
        execution_timeout=_TIMEOUTS.get(step.kind, _TIMEOUT),
    )


def _chosen_platform() -> StepOperator:
    name = os.environ.get(PLATFORM_VARIABLE) or DEFAULT_PLATFORM
    if name not in PLATFORMS:
        raise FluvialError(f"unknown platform '{name}'", f"set {PLATFORM_VARIABLE} to one of: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]
