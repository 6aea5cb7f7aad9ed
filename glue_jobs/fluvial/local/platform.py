"""The local platform: performs the steps of a plan on this machine."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from fluvial.config.model import UseCase
from fluvial.local.home import Home
from fluvial.plan.steps import Plan, Step, StepKind

Executor = Callable[[Step, UseCase, Home], dict[str, object]]
"""Performs one step; may be repeated; the result is JSON-able. Raises FluvialError."""

Observer = Callable[[Step, dict[str, object] | None], None]
"""Told when a step starts (without a result) and when it has ended (with one)."""

# By name, so that one step imports only the clients it needs.
_EXECUTORS: Final[Mapping[StepKind, str]] = {
    StepKind.STACKS: "stacks:start_stacks",
    StepKind.SOURCE_TABLES: "source_tables:create_source_tables",
    StepKind.TOPICS: "topics:create_topics",
    StepKind.CAPTURE: "capture:start_capture",
    StepKind.RESNAPSHOT: "resnapshot:renew_capture",
    StepKind.STREAMING: "streaming:start_job",
    StepKind.CATALOG: "catalog:register_catalog",
    StepKind.HEALTH: "health:report_health",
    StepKind.GENERATE: "generate:generate",
    StepKind.STOP_STREAMING: "streaming:stop_job",
    StepKind.STOP_CAPTURE: "capture:stop_capture",
    StepKind.DROP_TOPICS: "topics:drop_topics",
    StepKind.DROP_SOURCE: "source_tables:drop_source",
    StepKind.DROP_LAKE: "lake:drop_lake",
}


def run_step(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Performs one step; every kind may be repeated, and finds what is already done."""
    return _executor(step.kind)(step, use_case, home)


def run_plan(
    plan: Plan, use_case: UseCase, home: Home, observe: Observer = lambda _step, _result: None
) -> dict[str, dict[str, object]]:
    """Performs a plan's steps one after the other, without Airflow; the results by step id."""
    results: dict[str, dict[str, object]] = {}
    for step in plan:
        observe(step, None)
        results[step.id] = run_step(step, use_case, home)
        observe(step, results[step.id])
    return results


def _executor(kind: StepKind) -> Executor:
    module, _, name = _EXECUTORS[kind].partition(":")
    executor: Executor = getattr(import_module(f"fluvial.local.steps.{module}"), name)
    return executor
