"""A slot is lost, the source goes on, and `fluvial resnapshot` brings the lake back to it; everything is real."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.io.verify import verify_table
from fluvial.io.verify_source import verify_source
from fluvial.local.steps.capture import remove_connector
from fluvial.plan.steps import StepKind, plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import Pipeline

pytestmark = [pytest.mark.stack, pytest.mark.slow]

DELAY_SECONDS = 120
TABLE = """
  - name: {name}
    topic: resnapshot.{name}
    primary_key: id
    schema:
      - {{name: id, type: int, nullable: false}}
      - {{name: plate, type: string}}
"""
TABLES = """
settings:
  checkpoint_location: s3://resnapshot-assets/checkpoints
  quarantine_path: s3://resnapshot-quarantine
  delta_bucket: resnapshot-delta
  trigger_interval: 500 milliseconds
kafka:
  bootstrap_servers: 127.0.0.1:9092
tables:
""" + "".join(TABLE.format(name=name) for name in ("depots", "vans", "trailers"))


@pytest.fixture(scope="module")
def pipeline(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Three small tables, deployed; the first one has a single row."""
    path = tmp_path_factory.mktemp("config") / "resnapshot" / "tables.yaml"
    path.parent.mkdir()
    path.write_text(TABLES)
    deployed = Pipeline(stack, load_use_case(path, local_placeholders()), str(path))
    try:
        deployed.run(plan_deployment(deployed.use_case))
        yield deployed
    finally:
        deployed.run(plan_teardown(deployed.use_case))


@pytest.fixture(scope="module")
def renewed(pipeline: Pipeline) -> Pipeline:
    """Rows captured; then the slot is lost, rows change and go, and the snapshot is taken again."""
    execute(pipeline, "insert into depots values (1, 'D')", "insert into trailers values (1, 'T'), (2, 'U')")
    execute(pipeline, "insert into vans select id, 'A' from generate_series(1, 5) id")
    await_events(pipeline, depots=1, vans=5, trailers=2)
    remove_connector(pipeline.stack.endpoints, pipeline.use_case)
    execute(pipeline, "update vans set plate = 'B' where id = 2", "delete from vans where id = 3")
    execute(pipeline, "insert into vans values (6, 'N')", "delete from trailers")
    command = [sys.executable, "-m", "fluvial.cli.app", "resnapshot", pipeline.config, "--home"]
    done = subprocess.run([*command, str(pipeline.home.root)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "resnapshot: new slot fluvial_resnapshot, snapshot complete, epoch 1\n"
        "  trailers: empty, truncated so that the lake knows\n"
    )
    execute(pipeline, "update vans set plate = 'C' where id = 4")
    await_events(pipeline, depots=3, vans=12, trailers=3)
    return pipeline


def execute(pipeline: Pipeline, *statements: str) -> None:
    with psycopg.connect(pipeline.stack.endpoints.postgres_dsn(pipeline.use_case.database_name)) as source:
        for statement in statements:
            source.execute(statement.encode())


def await_events(pipeline: Pipeline, **expected: int) -> None:
    """Until the logs hold so many rows, snapshot boundaries included, and the history has them too."""
    deadline = time.monotonic() + DELAY_SECONDS
    while True:
        found = {table: pipeline.count(f"{table}__log_all") for table in expected}
        unsettled = [verdict for verdict in verify(pipeline) if not verdict.is_same or verdict.unsettled_log_versions]
        if found == expected and not unsettled:
            return
        assert time.monotonic() < deadline, f"{found}, {unsettled}"
        time.sleep(0.5)


def verify(pipeline: Pipeline) -> list[Any]:
    return [verify_table(pipeline.use_case, pipeline.home.lake, table) for table in pipeline.use_case.tables]


def versions(pipeline: Pipeline, table: str) -> list[tuple[Any, ...]]:
    sql = f"select id, plate, _operation, _is_current, _uncertain_since from {table} order by id, _sequence"
    return [tuple(row.values()) for row in pipeline.query(sql)]


def test_changed_rows_get_a_version_and_rows_that_are_gone_are_closed_by_inference(renewed: Pipeline) -> None:
    assert versions(renewed, "vans") == [
        (1, "A", "INSERT", True, None),
        (2, "A", "INSERT", False, None),
        (2, "B", "READ", True, None),
        (3, "A", "INSERT", False, "0001.0.0000000000000000"),
        (4, "A", "INSERT", False, None),
        (4, "C", "UPDATE", True, None),
        (5, "A", "INSERT", True, None),
        (6, "N", "READ", True, None),
    ]


def test_a_single_row_in_the_first_table_completes_its_snapshot(renewed: Pipeline) -> None:
    assert versions(renewed, "depots") == [(1, "D", "INSERT", True, None)]
    assert renewed.count("depots__log_all", "_operation = 'SNAPSHOT'") == 1


def test_a_table_that_is_empty_by_now_is_empty_in_the_lake(renewed: Pipeline) -> None:
    assert [version[3] for version in versions(renewed, "trailers")] == [False, False]


def test_lake_and_source_are_the_same(renewed: Pipeline) -> None:
    dsn = renewed.stack.endpoints.postgres_dsn(renewed.use_case.database_name)
    verdicts = [verify_source(renewed.use_case, renewed.home.lake, table, dsn) for table in renewed.use_case.tables]
    assert {verdict.table: verdict.total for verdict in verdicts} == {"depots": 0, "vans": 0, "trailers": 0}


def test_the_capture_step_keeps_the_epoch_of_a_connector_that_runs(renewed: Pipeline) -> None:
    capture = tuple(step for step in plan_deployment(renewed.use_case) if step.kind is StepKind.CAPTURE)
    result = renewed.run(capture)["capture"]
    assert (result["change"], result["epoch"]) == ("none", 1)


def test_explain_tells_that_the_delete_was_inferred(renewed: Pipeline) -> None:
    command = [sys.executable, "-m", "fluvial.cli.app", "explain", "vans", "3", "--config", renewed.config, "--home"]
    done = subprocess.run([*command, str(renewed.home.root)], capture_output=True, text=True, check=True)
    assert "closed version 1: inferred, because a complete snapshot doesn't show the row any more" in done.stdout
