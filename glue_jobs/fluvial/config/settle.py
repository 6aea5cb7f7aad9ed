"""The settle policies of tables.yaml: when log rows are folded into the history."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fluvial.config.base import Model
from fluvial.config.durations import duration
from fluvial.config.sizes import Size, size_in_bytes

_LIMITS: Final = ("rows", "bytes", "age")

Duration = Annotated[str, Field(pattern=r"^[1-9]\d{0,5} (second|minute|hour|day)s?$", examples=["10 minutes"])]
"""A stretch of time: `30 seconds`, `10 minutes`, `1 hour`, `2 days`."""


class SettlePolicy(Model):
    """When log rows are folded into the history."""

    policy: Literal["each_batch", "rows", "bytes", "age"] = "each_batch"
    """After every micro-batch, or once so many rows, so many bytes, or rows of such an age wait.

    While a stream is behind, `each_batch` lets up to 200,000 rows wait for up to a minute.
    """

    rows: Annotated[int, Field(gt=0, examples=[100_000])] | None = None
    """With policy `rows`: how many rows of the log may wait."""

    bytes: Size | None = None
    """With policy `bytes`: how many bytes of the log's files may wait, like `64MB`."""

    age: Duration | None = None
    """With policy `age`: how long a row may wait, like `10 minutes`."""

    max_age: Duration | None = None
    """With policy `rows` or `bytes`: how long a row may wait at most, however few there are; `1 hour` unless given."""

    @model_validator(mode="after")
    def _has_its_limit_alone(self) -> "SettlePolicy":
        given = [name for name in _LIMITS if getattr(self, name) is not None]
        if self.policy in _LIMITS and self.policy not in given:
            raise PydanticCustomError("no_limit", "policy '{name}' needs '{name}'", {"name": self.policy})
        stray = [name for name in given if name != self.policy]
        if self.max_age is not None and self.policy not in {"rows", "bytes"}:
            stray.append("max_age")
        if stray:
            context = {"stray": stray[0], "name": self.policy}
            raise PydanticCustomError("stray_limit", "'{stray}' means nothing to policy '{name}'", context)
        return self

    @property
    def while_behind(self) -> "SettlePolicy":
        """What counts while the next micro-batch is due already and will be full: a settle would make it later."""
        return _WHILE_BEHIND if self.policy == "each_batch" else self

    @property
    def most_rows(self) -> int | None:
        """Rows that may wait; None where their number doesn't count."""
        return self.rows

    @property
    def most_bytes(self) -> int | None:
        """Bytes that may wait; None where their number doesn't count."""
        return None if self.bytes is None else size_in_bytes(self.bytes)

    @property
    def longest_wait(self) -> timedelta | None:
        """How long a row may wait; None where each micro-batch is settled at once."""
        if self.policy == "each_batch":
            return None
        return duration(self.age or self.max_age or "1 hour")


_WHILE_BEHIND: Final = SettlePolicy(policy="rows", rows=200_000, max_age="1 minute")
"""As many rows as a micro-batch takes unless told otherwise."""
