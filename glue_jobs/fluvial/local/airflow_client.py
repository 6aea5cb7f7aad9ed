"""The part of Airflow's REST API that a run needs: trigger, watch, explain."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from fluvial.errors import StackError
from fluvial.local.airflow_access import USER, AirflowAccess

FINAL_STATES: Final = frozenset({"success", "failed"})
_TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.5
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_LOG_LINES: Final = 15


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG: its state, the state of every task, the latest try of every task."""

    dag_id: str
    run_id: str
    state: str
    tasks: Mapping[str, str]
    tries: Mapping[str, int]

    @property
    def failed_tasks(self) -> tuple[str, ...]:
        """Tasks that failed themselves, not because of another."""
        return tuple(task for task, state in self.tasks.items() if state == "failed")


@dataclass
class AirflowClient:
    """Talks to one Airflow; logs in when it has to."""

    access: AirflowAccess
    _token: str = field(default="", repr=False)

    def is_healthy(self) -> bool:
        """Whether the server answers and the scheduler and the DAG processor beat."""
        try:
            health = self._send("GET", "/api/v2/monitor/health", None)
        except (OSError, StackError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def has_dag(self, dag_id: str) -> bool:
        """Whether the DAG was parsed and can be triggered."""
        try:
            self._call("GET", f"/dags/{quote(dag_id)}")
        except StackError as error:
            if isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code == _NOT_FOUND:
                return False
            raise
        return True

    def import_errors(self, since: datetime) -> dict[str, str]:
        """Message by DAG file, for the files that couldn't be parsed at `since` or later."""
        found = self._call("GET", "/importErrors")["import_errors"]
        return {
            str(error["filename"]): str(error["stack_trace"]).strip()
            for error in found
            if datetime.fromisoformat(error["timestamp"]) >= since
        }

    def trigger(self, dag_id: str, conf: Mapping[str, object] | None = None) -> str:
        """Starts a run and returns its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self._call("POST", f"/dags/{quote(dag_id)}/dagRuns", body)["dag_run_id"])

    def set_paused(self, dag_id: str, *, is_paused: bool) -> None:
        """Holds back or lets go the schedule of a DAG."""
        self._call("PATCH", f"/dags/{quote(dag_id)}", {"is_paused": is_paused})

    def fail_unfinished(self) -> tuple[str, ...]:
        """Ends every run that an earlier Airflow left behind, which would keep new ones waiting; their DAGs' ids."""
        found = self._call("GET", "/dags/~/dagRuns?state=queued&state=running")["dag_runs"]
        for run in found:
            path = f"/dags/{quote(run['dag_id'])}/dagRuns/{quote(run['dag_run_id'])}"
            self._call("PATCH", path, {"state": "failed"})
        return tuple(str(run["dag_id"]) for run in found)

    def read_run(self, dag_id: str, run_id: str) -> DagRun:
        """How a run stands now."""
        run = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        state = str(self._call("GET", run)["state"])
        instances = self._call("GET", f"{run}/taskInstances")["task_instances"]
        tasks = {str(task["task_id"]): str(task["state"] or "waiting") for task in instances}
        tries = {str(task["task_id"]): max(int(task["try_number"]), 1) for task in instances}
        return DagRun(dag_id, run_id, state, tasks, tries)

    def wait(self, dag_id: str, run_id: str, timeout: float, on_change: Callable[[DagRun], None]) -> DagRun:
        """The finished run; `on_change` sees every new set of states; raises StackError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        seen: DagRun | None = None
        while time.monotonic() < deadline:
            run = self.read_run(dag_id, run_id)
            if run != seen:
                on_change(run)
                seen = run
            if run.state in FINAL_STATES:
                return run
            time.sleep(_POLL_SECONDS)
        raise StackError(
            f"{dag_id} didn't end within {timeout:.0f} s; tasks: {dict(seen.tasks) if seen else {}}",
            f"look at it in {self.access.url}/dags/{dag_id}",
            part="airflow",
        )

    def result(self, run: DagRun, task_id: str) -> Any:
        """What a task returned."""
        task = f"/dags/{quote(run.dag_id)}/dagRuns/{quote(run.run_id)}/taskInstances/{quote(task_id)}"
        return self._call("GET", f"{task}/xcomEntries/return_value?deserialize=false&stringify=false")["value"]

    def explain(self, run: DagRun, task_id: str) -> str:
        """The errors in a task's latest log, without the noise around them; its last lines where it has none."""
        task = f"/dags/{quote(run.dag_id)}/dagRuns/{quote(run.run_id)}/taskInstances/{quote(task_id)}"
        entries = self._call("GET", f"{task}/logs/{run.tries.get(task_id, 1)}?full_content=true")["content"]
        lines = [line for entry in entries for line in _errors(entry)]
        return "\n".join(lines or [_event(entry) for entry in entries[-_LOG_LINES:]])

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        for is_last in (False, True):
            if not self._token:
                login = {"username": USER, "password": self.access.password}
                self._token = str(self._send("POST", "/auth/token", login)["access_token"])
            try:
                return self._send(method, f"/api/v2{path}", body)
            except urllib.error.HTTPError as error:
                if error.code != _UNAUTHORIZED or is_last:
                    detail = error.read().decode(errors="replace")[:500]
                    raise StackError(
                        f"Airflow refused {method} {path}: {error.code} {detail}", part="airflow"
                    ) from error
                self._token = ""
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.access.url + path, data, headers, method=method)  # noqa: S310
        # A proxy of the environment has no business between this machine and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        return answer


def _errors(entry: Any) -> tuple[str, ...]:
    if not isinstance(entry, dict) or entry.get("level") not in {"error", "critical"}:
        return ()
    details = tuple(f"{each['exc_type']}: {each['exc_value']}" for each in entry.get("error_detail") or ())
    return details or (_event(entry),)


def _event(entry: Any) -> str:
    return str(entry.get("event", "")) if isinstance(entry, dict) else str(entry)
