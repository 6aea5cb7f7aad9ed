"""Performs a step on this machine: the local profile behind one operator."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import ConfigError, FluvialError
from fluvial.local.home import default_home
from fluvial.local.platform import run_step
from fluvial.plan.steps import Step


class LocalStepOperator(BaseOperator):
    """Loads the use case, performs the step in the state directory FLUVIAL_HOME, returns its result."""

    template_fields: Sequence[str] = ("inputs", "config")
    ui_color = "#d6eaf8"

    def __init__(self, *, step: Step, config: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.config = config
        self.inputs: dict[str, str] = dict(step.inputs)

    def execute(self, context: Mapping[str, Any]) -> dict[str, object]:
        """Raises AirflowFailException, which isn't retried, where only a changed tables.yaml can help."""
        try:
            result = self._run()
        except ConfigError as error:
            raise AirflowFailException(str(error)) from error
        except FluvialError as error:
            raise AirflowException(str(error)) from error
        for name, value in result.items():
            self.log.info("%s: %s", name, value)
        return result

    def _run(self) -> dict[str, object]:
        use_case = load_use_case(Path(self.config), local_placeholders())
        return run_step(self.step.with_inputs({**self.inputs, "config": self.config}), use_case, default_home())
