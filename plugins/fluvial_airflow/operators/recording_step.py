"""A platform that does nothing but say what it was asked: for tests and for looking at a plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator

from fluvial.plan.steps import Step


class RecordingStepOperator(BaseOperator):
    """Returns the step's kind and rendered inputs."""

    template_fields: Sequence[str] = ("inputs", "config")

    def __init__(self, *, step: Step, config: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.config = config
        self.inputs: dict[str, str] = dict(step.inputs)

    def execute(self, context: Mapping[str, Any]) -> dict[str, object]:
        """Performs nothing."""
        return {"kind": self.step.kind.value, "inputs": self.inputs}
