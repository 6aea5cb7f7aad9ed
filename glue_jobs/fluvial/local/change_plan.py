"""The change plan of the local profile: what is applied, what the lake holds, and what runs, against tables.yaml."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fluvial.compile.artifacts import compile_artifacts
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.applied import read_applied
from fluvial.io.plan_facts import measure_rederivation, measure_tables
from fluvial.local.home import Home
from fluvial.local.live_differences import find_live_differences
from fluvial.plan.change_plan import ChangePlan, TablePlan, plan_changes
from fluvial.plan.configuration import restore_use_case, use_case_document
from fluvial.plan.documents import DocumentChange, diff_documents
from fluvial.plan.steps import plan_deployment


def make_change_plan(use_case: UseCase, home: Home, *, with_live: bool = True) -> ChangePlan:
    """What applying the use case would do; changes nothing. Without a running stack, `live` is left out."""
    applied = read_applied(use_case, home.lake, applied_file(use_case.name, home))
    before = restore_use_case(applied, type(use_case)) if applied else None
    wanted = use_case_document(use_case)
    plan = plan_changes(applied, wanted, measure_tables(before, use_case, applied, wanted, home.lake))
    return replace(
        plan,
        tables=tuple(_with_rows(table, use_case, home.lake) for table in plan.tables),
        documents=_documents(before, use_case),
        live=find_live_differences(use_case, home) if with_live else None,
    )


def applied_file(use_case: str, home: Home) -> Path:
    """Where the applied configuration of a use case is kept."""
    return home.root / "applied" / f"{use_case}.json"


def _with_rows(plan: TablePlan, use_case: UseCase, lake: Path) -> TablePlan:
    if not plan.needs_rederivation:
        return plan
    table = use_case.table(plan.name)
    return replace(plan, rows=measure_rederivation(table, Locations(use_case, lake).table(table)))


def _documents(before: UseCase | None, after: UseCase) -> tuple[DocumentChange, ...]:
    """Differences of everything that is compiled, and of the steps of the DAGs."""
    return diff_documents(_compiled(before), _compiled(after)) if before is not None else ()


def _compiled(use_case: UseCase) -> Mapping[str, Any]:
    steps = {step.id: dict(step.inputs) for step in plan_deployment(use_case)}
    return {artifact.name: artifact.value for artifact in compile_artifacts(use_case)} | {"dags/deploy": steps}
