"""What a look at the stream found."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from fluvial.local.home import Home


@dataclass(frozen=True)
class Check:
    """One part, whether it is well, figures for the curious, and what to do where it isn't."""

    name: str
    ok: bool
    problem: str = ""
    hint: str = ""
    figures: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class HealthReport:
    """Every check, in the order of the flow."""

    use_case: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, object]:
        """The report, fit for JSON."""
        return {"use_case": self.use_case, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        lines = (f"{check.name}: {check.problem}\n  -> {check.hint}" for check in self.checks if not check.ok)
        return "\n".join(lines) or "all well"


def report_path(use_case: str, home: Home) -> Path:
    """Where the newest report of a use case lies."""
    return home.run / f"health-{use_case}.json"
