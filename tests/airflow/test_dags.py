from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG


@pytest.fixture(scope="module")
def bag(request: pytest.FixtureRequest) -> DagBag:
    return DagBag(str(request.config.rootpath / "dags"))


def _graph(dag: DAG) -> dict[str, list[str]]:
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def test_a_use_case_has_one_dag_of_each_kind(bag: DagBag) -> None:
    assert sorted(dag_id for dag_id in bag.dags if dag_id.startswith("vehicle-telemetry__")) == [
        "vehicle-telemetry__deploy",
        "vehicle-telemetry__generate_data",
        "vehicle-telemetry__health",
        "vehicle-telemetry__teardown",
    ]


def test_deploy_ends_in_a_health_check(bag: DagBag) -> None:
    assert _graph(bag.dags["vehicle-telemetry__deploy"]) == {
        "stacks": ["source_tables", "topics"],
        "source_tables": ["capture"],
        "topics": ["capture"],
        "capture": ["streaming"],
        "streaming": ["catalog"],
        "catalog": ["health"],
        "health": [],
    }


def test_generate_data_is_one_task(bag: DagBag) -> None:
    assert _graph(bag.dags["vehicle-telemetry__generate_data"]) == {"generate": []}


def test_health_is_one_task(bag: DagBag) -> None:
    assert _graph(bag.dags["vehicle-telemetry__health"]) == {"health": []}


def test_teardown_does_nothing_before_it_is_confirmed(bag: DagBag) -> None:
    assert _graph(bag.dags["vehicle-telemetry__teardown"]) == {
        "confirm": ["stop_capture", "stop_streaming"],
        "stop_streaming": ["drop_lake", "drop_topics"],
        "stop_capture": ["drop_source", "drop_topics"],
        "drop_topics": [],
        "drop_source": [],
        "drop_lake": [],
    }


def test_only_health_runs_by_itself_and_only_once_unpaused(bag: DagBag) -> None:
    schedules = {
        dag.dag_id.partition("__")[2]: (dag.schedule, dag.is_paused_upon_creation) for dag in bag.dags.values()
    }
    assert schedules == {
        "deploy": (None, None),
        "generate_data": (None, None),
        "health": ("*/5 * * * *", True),
        "teardown": (None, None),
    }


def test_runs_of_a_dag_never_overlap(bag: DagBag) -> None:
    assert {(dag.max_active_runs, dag.catchup) for dag in bag.dags.values()} == {(1, False)}


def test_what_can_be_repeated_is_retried_once(bag: DagBag) -> None:
    retries = {task.task_id: task.retries for dag in bag.dags.values() for task in dag.tasks}
    assert {task_id for task_id, count in retries.items() if count == 0} == {"confirm", "generate", "health"}
    assert set(retries.values()) == {0, 1}


def test_every_step_has_a_time_limit(bag: DagBag) -> None:
    limits = {task.task_id: task.execution_timeout for dag in bag.dags.values() for task in dag.tasks}
    assert limits.pop("confirm") is None
    assert limits.pop("generate") == timedelta(hours=2)
    assert limits.pop("health") == timedelta(minutes=2)
    assert set(limits.values()) == {timedelta(minutes=10)}


def test_the_parameters_of_generate_data_are_typed(bag: DagBag) -> None:
    params = bag.dags["vehicle-telemetry__generate_data"].params
    schemas = {name: params.get_param(name).schema for name in params}
    assert {name: schema["type"] for name, schema in schemas.items()} == {
        "mode": "string",
        "rows": ["null", "integer"],
        "seconds": "integer",
        "seed": "integer",
    }
    assert schemas["mode"]["enum"] == ["seed", "generate", "burst"]


def test_a_run_s_parameters_become_the_inputs_of_the_step(bag: DagBag) -> None:
    task = bag.dags["vehicle-telemetry__generate_data"].get_task("generate")
    assert task.inputs == {
        "mode": "{{ '' if params.mode is none else params.mode }}",
        "rows": "{{ '' if params.rows is none else params.rows }}",
        "seconds": "{{ '' if params.seconds is none else params.seconds }}",
        "seed": "{{ '' if params.seed is none else params.seed }}",
        "database": "vehicle_telemetry",
    }
