"""Guards what can't be undone."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException


class ConfirmOperator(BaseOperator):
    """Fails, and with it everything downstream, unless `typed` is exactly `expected`."""

    template_fields: Sequence[str] = ("typed",)
    ui_color = "#f5b7b1"

    def __init__(self, *, expected: str, typed: str, **kwargs: Any) -> None:
        super().__init__(retries=0, **kwargs)
        self.expected = expected
        self.typed = typed

    def execute(self, context: Mapping[str, Any]) -> str:
        """Raises AirflowFailException with what to type."""
        if self.typed != self.expected:
            raise AirflowFailException(
                f"not confirmed: '{self.typed}' was typed, nothing was changed\n"
                f"  -> trigger again with the parameter confirm set to '{self.expected}'"
            )
        return self.expected
