"""`fluvial run`: the whole way from nothing to queryable history, driven by Airflow."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.errors import FluvialError, StackError
from fluvial.generate.load import load_scenario
from fluvial.generate.scenario import Scenario
from fluvial.local.airflow import NAME, START_SECONDS, launch_airflow, require_airflow
from fluvial.local.airflow_access import read_access
from fluvial.local.airflow_client import AirflowClient, DagRun
from fluvial.local.home import Home
from fluvial.local.java import find_java
from fluvial.local.process import is_alive, log_path, read_log_tail
from fluvial.local.run_catch_up import await_everything, count_arrived, read_counts
from fluvial.local.run_report import RunReport, read_report
from fluvial.local.stack import up
from fluvial.local.use_case_files import scenario_path

DEPLOY_FILE: Final = "deploy.py"
DEPLOY_SECONDS: Final = 600.0
GENERATE_SECONDS: Final = 900.0
PATIENCE_SECONDS: Final = 300.0
_PAUSE_SECONDS: Final = 0.5


class RunView(Protocol):
    """Shows a run while it happens."""

    def progress(self, label: str, done: int, total: int) -> None:
        """Work with a known end; `total` 0 where the end isn't known."""

    def tasks(self, run: DagRun) -> None:
        """A DAG run after one of its tasks changed its state."""


@dataclass(frozen=True)
class RunRequest:
    """A tables.yaml, how many changes the burst makes (None: as many as usual), and the generator's seed."""

    tables: Path
    rows: int | None = None
    seed: int = 42


def run_use_case(request: RunRequest, home: Home, view: RunView) -> RunReport:
    """Starts everything, deploys, generates, waits and reports; leaves everything running. Raises FluvialError."""
    started, tables = datetime.now(UTC), request.tables.absolute()
    use_case = load_use_case(tables, local_placeholders())
    scenario = load_scenario(scenario_path(tables), use_case)
    find_java()
    # Airflow takes longest, and all it needs is already here.
    was_running = is_alive(home, NAME)
    client = AirflowClient(launch_airflow(home, tables.parent.parent))
    endpoints = up(home, view.progress)
    _await_dag(client, home, f"{use_case.name}__deploy", view)
    if not was_running:
        client.fail_unfinished()
    _run_dag(client, f"{use_case.name}__deploy", {}, DEPLOY_SECONDS, view)
    late, written = "", list[dict[str, Any]]()
    expected = count_arrived(use_case, home)
    # One after the other: the burst then meets a stream that has warmed up, as in everyday life.
    for conf in ({"mode": "seed"}, {"mode": "burst", "rows": request.rows}):
        written.append(_generate(client, use_case, {**conf, "seed": request.seed}, view))
        expected += int(written[-1]["changes"])
        late = late or await_everything(use_case, home, endpoints, expected, PATIENCE_SECONDS, view.progress)
    violations = _quarantine_worthy(written, use_case, scenario)
    report = read_report(use_case, home, read_counts(use_case, home, endpoints), started, violations)
    return replace(report, missing=(late, *report.missing)) if late else report


@contextmanager
def watched_health(request: RunRequest, home: Home) -> Iterator[None]:
    """While the block lasts, the health DAG runs by its schedule."""
    client, dag_id = AirflowClient(read_access(home)), f"{request.tables.absolute().parent.name}__health"
    client.set_paused(dag_id, is_paused=False)
    try:
        yield
    finally:
        # The next start would find a check that is due, and nothing deployed yet.
        with suppress(OSError, FluvialError):
            client.set_paused(dag_id, is_paused=True)


def _await_dag(client: AirflowClient, home: Home, dag_id: str, view: RunView) -> None:
    begun, clock = time.monotonic(), datetime.now(UTC)
    while (waited := time.monotonic() - begun) < START_SECONDS:
        view.progress("starting Airflow", int(waited), 0)
        require_airflow(home)
        with suppress(OSError):  # nobody listens yet
            if client.has_dag(dag_id):
                return
            _refuse_broken_file(client.import_errors(clock))
        time.sleep(_PAUSE_SECONDS)
    raise StackError(
        f"Airflow doesn't know {dag_id} after {START_SECONDS:.0f} s",
        "was it started for another configuration folder? `fluvial down` stops it",
        part=NAME,
        log_path=log_path(home, NAME),
        log_tail=read_log_tail(home, NAME),
    )


def _refuse_broken_file(errors: Mapping[str, str]) -> None:
    # Another use case's broken tables.yaml is an error of configuration_errors.py, and no business of this run.
    if DEPLOY_FILE in errors:
        raise StackError(f"Airflow can't read dags/{DEPLOY_FILE}:\n{errors[DEPLOY_FILE]}", part=NAME)


def _run_dag(client: AirflowClient, dag_id: str, conf: Mapping[str, object], timeout: float, view: RunView) -> DagRun:
    run = client.wait(dag_id, client.trigger(dag_id, conf), timeout, view.tasks)
    if run.state != "success":
        task = next(iter(run.failed_tasks), None)
        raise StackError(
            f"{dag_id} failed" + (f" in task {task}:\n{client.explain(run, task)}" if task else ""),
            f"every log is in {client.access.url}/dags/{dag_id}, while Airflow runs",
            part=NAME,
        )
    return run


def _generate(client: AirflowClient, use_case: UseCase, conf: Mapping[str, object], view: RunView) -> dict[str, Any]:
    given = {name: value for name, value in conf.items() if value is not None}
    run = _run_dag(client, f"{use_case.name}__generate_data", given, GENERATE_SECONDS, view)
    result: dict[str, Any] = client.result(run, "generate")
    return result


def _quarantine_worthy(written: list[dict[str, Any]], use_case: UseCase, scenario: Scenario) -> dict[str, int]:
    """Violations of rules that quarantine, by table; warnings only record."""
    counts: dict[str, int] = {}
    for table in use_case.tables:
        severities = {rule.id: rule.severity for rule in table.dq_rules}
        kinds = scenario.tables[table.name].violations if table.name in scenario.tables else ()
        errors = {kind.name for kind in kinds if severities.get(kind.rule) == "error"}
        found = [each["tables"].get(table.name, {}).get("violations", {}) for each in written]
        counts[table.name] = sum(count for kinds in found for name, count in kinds.items() if name in errors)
    return counts
