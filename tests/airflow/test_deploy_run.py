from pathlib import Path

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.sdk import DAG
from airflow.utils import db


@pytest.fixture
def deploy(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> DAG:
    """The deploy DAG on the platform that only records, known to a fresh Airflow database."""
    monkeypatch.setenv("FLUVIAL_PLATFORM", "recording")
    db.initdb()
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(str(checkout / "dags"), bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    return bag.dags["vehicle-telemetry__deploy"]


def test_deploy_performs_every_step(deploy: DAG) -> None:
    run = deploy.test()
    assert run.state == "success"
    assert {task.task_id: task.state for task in run.get_task_instances()} == {
        "stacks": "success",
        "source_tables": "success",
        "topics": "success",
        "capture": "success",
        "streaming": "success",
        "catalog": "success",
        "health": "success",
    }
