"""What every configuration model shares."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, model_validator

PRINTABLE: Final = r"^[^\p{C}\p{Zl}\p{Zp}]+$"
"""No control characters and nothing that turns the direction of writing: ids are printed in logs and terminals."""


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True)


class Params(Model):
    """Parameters of a rule or a transform; this one has none."""


class WithParams(Model):
    """A rule or a transform; `params:` with nothing behind it is the same as leaving it out."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty_params(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("params", ...) is None:
            return {key: value for key, value in data.items() if key != "params"}
        return data
