"""The targets of docs/performance.md, and whether a run met them. They are never loosened to fit a result."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

AT_LEAST: Final = "≥"
AT_MOST: Final = "≤"
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {AT_LEAST: operator.ge, AT_MOST: operator.le}


@dataclass(frozen=True)
class Finding:
    """One figure of one run against its target."""

    target: str
    what: str
    value: float
    comparison: str
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps its target."""
        return _COMPARE[self.comparison](self.value, self.limit)

    def row(self) -> tuple[str, str, str, str, str]:
        """Cells of the report."""
        verdict = "met" if self.is_met else "MISSED"
        return (self.target, self.what, f"{self.value:.3g}", f"{self.comparison} {self.limit:g}", verdict)
