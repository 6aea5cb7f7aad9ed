"""Deployment, health, generation and teardown of one use case, as steps that a platform performs.

Every plan is in topological order, and the same configuration always gives the same plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from fluvial.config.model import UseCase


class StepKind(StrEnum):
    """What a platform knows how to do."""

    STACKS = "stacks"
    SOURCE_TABLES = "source_tables"
    TOPICS = "topics"
    CAPTURE = "capture"
    RESNAPSHOT = "resnapshot"
    STREAMING = "streaming"
    CATALOG = "catalog"
    HEALTH = "health"
    GENERATE = "generate"
    STOP_STREAMING = "stop_streaming"
    STOP_CAPTURE = "stop_capture"
    DROP_TOPICS = "drop_topics"
    DROP_SOURCE = "drop_source"
    DROP_LAKE = "drop_lake"


@dataclass(frozen=True)
class Step:
    """One thing to do: what kind, after which steps, with which inputs; `table` is set where it concerns one only."""

    id: str
    kind: StepKind
    upstream: tuple[str, ...] = ()
    table: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    def with_inputs(self, inputs: Mapping[str, str]) -> "Step":
        """The same step with some inputs replaced."""
        return replace(self, inputs={**self.inputs, **inputs})


Plan = tuple[Step, ...]

GENERATION_INPUTS: Final[Mapping[str, str]] = {"mode": "seed", "rows": "", "seconds": "30", "seed": "42"}
"""Inputs of a GENERATE step and their defaults: `rows` sizes seed and burst ("" as the scenario says), `seconds` bounds
generate."""


def plan_deployment(use_case: UseCase) -> Plan:
    """From nothing to a running, healthy stream; every step may be repeated."""
    tables = {"database": use_case.database_name, "tables": ",".join(table.name for table in use_case.tables)}
    topics = {"topics": ",".join(table.topic for table in use_case.tables)}
    return (
        _step(StepKind.STACKS),
        _step(StepKind.SOURCE_TABLES, StepKind.STACKS, inputs=tables),
        _step(StepKind.TOPICS, StepKind.STACKS, inputs=topics),
        _step(StepKind.CAPTURE, StepKind.SOURCE_TABLES, StepKind.TOPICS),
        _step(StepKind.STREAMING, StepKind.CAPTURE),
        _step(StepKind.CATALOG, StepKind.STREAMING),
        _step(StepKind.HEALTH, StepKind.CATALOG),
    )


def plan_health(use_case: UseCase) -> Plan:
    """One look at every part of the stream."""
    return (_step(StepKind.HEALTH, inputs={"use_case": use_case.name}),)


def plan_generation(use_case: UseCase) -> Plan:
    """Write rows into the source; inputs start as GENERATION_INPUTS."""
    return (_step(StepKind.GENERATE, inputs={**GENERATION_INPUTS, "database": use_case.database_name}),)


def plan_teardown(use_case: UseCase) -> Plan:
    """Stop the stream, then drop what it read and wrote; the stacks stay, other use cases may live on them."""
    return (
        _step(StepKind.STOP_STREAMING),
        _step(StepKind.STOP_CAPTURE),
        _step(StepKind.DROP_TOPICS, StepKind.STOP_STREAMING, StepKind.STOP_CAPTURE),
        _step(StepKind.DROP_SOURCE, StepKind.STOP_CAPTURE, inputs={"database": use_case.database_name}),
        _step(StepKind.DROP_LAKE, StepKind.STOP_STREAMING),
    )


def _step(kind: StepKind, *upstream: StepKind, inputs: Mapping[str, str] | None = None) -> Step:
    return Step(kind.value, kind, tuple(step.value for step in upstream), inputs=inputs or {})
