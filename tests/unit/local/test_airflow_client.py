from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fluvial.errors import StackError
from fluvial.local.airflow_client import AirflowClient, DagRun
from tests.unit.local.airflow_server import AirflowServer, serve_airflow

HEALTHY = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}
RUN = "/api/v2/dags/shop__deploy/dagRuns/run1"


def _tasks(**states: str | None) -> dict[str, object]:
    return {"task_instances": [{"task_id": task, "state": state, "try_number": 1} for task, state in states.items()]}


@pytest.fixture
def server() -> Iterator[AirflowServer]:
    with serve_airflow() as server:
        yield server


@pytest.fixture
def client(server: AirflowServer) -> AirflowClient:
    return AirflowClient(server.access)


def test_healthy_means_that_every_needed_part_beats(server: AirflowServer, client: AirflowClient) -> None:
    server.answer("GET /api/v2/monitor/health", (200, HEALTHY | {"triggerer": {"status": None}}))
    assert client.is_healthy()
    server.answer("GET /api/v2/monitor/health", (200, HEALTHY | {"scheduler": {"status": "unhealthy"}}))
    assert not client.is_healthy()


def test_nobody_there_is_not_healthy() -> None:
    with serve_airflow() as server:
        access = server.access
    assert not AirflowClient(access).is_healthy()


def test_a_run_is_triggered_for_no_date_with_its_parameters(server: AirflowServer, client: AirflowClient) -> None:
    server.answer("POST /api/v2/dags/shop__deploy/dagRuns", (200, {"dag_run_id": "run1"}))
    assert client.trigger("shop__deploy", {"rows": 5}) == "run1"
    assert server.asked[-1][1] == {"logical_date": None, "conf": {"rows": 5}}


def test_an_expired_login_is_renewed_once(server: AirflowServer, client: AirflowClient) -> None:
    client._token = "worn out"  # noqa: S105
    server.answer("GET /api/v2/dags/shop__deploy", (200, {}))
    assert client.has_dag("shop__deploy")
    assert [request for request, _ in server.asked] == [
        "GET /api/v2/dags/shop__deploy",
        "POST /auth/token",
        "GET /api/v2/dags/shop__deploy",
    ]


def test_a_dag_that_was_not_parsed_is_not_there(client: AirflowClient) -> None:
    assert not client.has_dag("shop__deploy")


def test_a_refusal_carries_airflows_words(server: AirflowServer, client: AirflowClient) -> None:
    server.answer("POST /api/v2/dags/shop__deploy/dagRuns", (400, {"detail": "rows must be at least 1"}))
    with pytest.raises(StackError, match="rows must be at least 1"):
        client.trigger("shop__deploy", {"rows": 0})


def test_waiting_tells_every_change_and_ends_with_the_run(server: AirflowServer, client: AirflowClient) -> None:
    server.answer(f"GET {RUN}", (200, {"state": "running"}), (200, {"state": "running"}), (200, {"state": "failed"}))
    server.answer(
        f"GET {RUN}/taskInstances",
        (200, _tasks(stacks=None)),
        (200, _tasks(stacks="running")),
        (200, _tasks(stacks="failed")),
    )
    seen: list[dict[str, str]] = []
    run = client.wait("shop__deploy", "run1", 30, lambda run: seen.append(dict(run.tasks)))
    assert seen == [{"stacks": "waiting"}, {"stacks": "running"}, {"stacks": "failed"}]
    assert (run.state, run.failed_tasks) == ("failed", ("stacks",))


def test_a_run_that_never_ends_is_given_up(server: AirflowServer, client: AirflowClient) -> None:
    server.answer(f"GET {RUN}", (200, {"state": "running"}))
    server.answer(f"GET {RUN}/taskInstances", (200, _tasks(capture="running")))
    with pytest.raises(StackError, match=r"shop__deploy didn't end within 1 s; tasks: \{'capture': 'running'\}"):
        client.wait("shop__deploy", "run1", 1, lambda _run: None)


def test_a_failed_task_is_explained_by_its_errors_alone(server: AirflowServer, client: AirflowClient) -> None:
    server.answer(
        f"GET {RUN}/taskInstances/capture/logs/2?full_content=true",
        (
            200,
            {
                "content": [
                    {"event": "::group::Pre Execute"},
                    {"event": "Filling up the DagBag", "level": "info"},
                    {
                        "event": "Task failed with exception",
                        "level": "error",
                        "error_detail": [{"exc_type": "AirflowException", "exc_value": "no publication"}],
                    },
                ]
            },
        ),
    )
    run = DagRun("shop__deploy", "run1", "failed", {"capture": "failed"}, {"capture": 2})
    assert client.explain(run, "capture") == "AirflowException: no publication"


def test_import_errors_come_by_file_without_those_of_an_earlier_start(
    server: AirflowServer, client: AirflowClient
) -> None:
    now = {"filename": "deploy.py", "stack_trace": "unknown platform\n", "timestamp": "2026-11-21T08:00:05Z"}
    before = {"filename": "health.py", "stack_trace": "mended since", "timestamp": "2026-11-21T07:59:59Z"}
    server.answer("GET /api/v2/importErrors", (200, {"import_errors": [now, before]}))
    assert client.import_errors(datetime(2026, 11, 21, 8, tzinfo=UTC)) == {"deploy.py": "unknown platform"}


def test_runs_that_an_earlier_airflow_left_behind_are_ended(server: AirflowServer, client: AirflowClient) -> None:
    left = {"dag_runs": [{"dag_id": "shop__deploy", "dag_run_id": "run1"}]}
    server.answer("GET /api/v2/dags/~/dagRuns?state=queued&state=running", (200, left))
    server.answer(f"PATCH {RUN}", (200, {}))
    assert client.fail_unfinished() == ("shop__deploy",)
    assert server.asked[-1] == (f"PATCH {RUN}", {"state": "failed"})
