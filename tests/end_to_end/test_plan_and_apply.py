"""An edit of tables.yaml on a use case that streams: planned, applied, and then really there."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fluvial.cli.app import app
from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.io.query import open_lake, run_query
from fluvial.local.change_plan import make_change_plan
from fluvial.local.platform import run_plan
from fluvial.plan.steps import StepKind, plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]
PATIENCE_SECONDS = 90
TABLES = """
settings:
  checkpoint_location: s3://plan-test/checkpoint
  quarantine_path: s3://plan-test/quarantine
  delta_bucket: s3://plan-test/lake
  trigger_interval: 500 milliseconds
kafka: {bootstrap_servers: "127.0.0.1:9092"}
tables:
  - name: orders
    topic: plan-test.orders
    primary_key: id
    schema:
      - {name: id, type: int, nullable: false}
      - {name: note, type: string}
"""
MORE = """      - {name: colour, type: string}
  - name: buyers
    topic: plan-test.buyers
    primary_key: id
    schema:
      - {name: id, type: int, nullable: false}
"""


@pytest.fixture(scope="module")
def tables(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A deployed use case of one table with one row; `buyers` lies in its database and isn't captured."""
    path = tmp_path_factory.mktemp("config") / "plan-test" / "tables.yaml"
    path.parent.mkdir()
    path.write_text(TABLES)
    perform(stack, path, *(step.kind for step in plan_deployment(load(path)) if step.kind is not StepKind.STACKS))
    with source(stack) as connection:
        connection.execute("insert into orders values (1, 'old')")
        connection.execute("create table buyers (id integer primary key)")
        connection.execute("insert into buyers values (1), (2), (3)")
    await_rows(stack, path, "select count(*) as n from orders", 1)
    yield path
    perform(stack, path, *(step.kind for step in plan_teardown(load(path))))


def load(path: Path) -> Any:
    return load_use_case(path, local_placeholders())


def perform(stack: Stack, path: Path, *kinds: StepKind) -> None:
    steps = (*plan_deployment(load(path)), *plan_teardown(load(path)))
    chosen = tuple(step.with_inputs({"config": str(path)}) for kind in kinds for step in steps if step.kind is kind)
    run_plan(chosen, load(path), stack.home)


def source(stack: Stack) -> psycopg.Connection[Any]:
    return psycopg.connect(stack.endpoints.postgres_dsn("plan_test"), autocommit=True)


def await_rows(stack: Stack, path: Path, sql: str, expected: int) -> None:
    deadline, found = time.monotonic() + PATIENCE_SECONDS, -1
    while found != expected and time.monotonic() < deadline:
        found = run_query(open_lake(load(path), stack.home.lake, sql), sql).to_pylist()[0]["n"]
        time.sleep(0.5)
    assert found == expected


def fluvial(stack: Stack, command: str, path: Path, *options: str) -> str:
    result = CliRunner().invoke(app, [command, str(path), "--home", str(stack.home.root), *options])
    assert not isinstance(result.exception, Exception), result.exception
    return result.stdout


def test_a_new_column_and_a_new_table_come_with_the_rows_that_were_there(stack: Stack, tables: Path) -> None:
    assert "nothing to do" in fluvial(stack, "plan", tables)
    tables.write_text((TABLES + MORE).replace('"127.0.0.1:9092"', '"127.0.0.1:9092", retention_days: 9'))
    plan = make_change_plan(load(tables), stack.home)

    assert plan.live is not None
    assert [(found.part, found.name) for found in plan.live] == [
        ("source", "orders"),
        ("topic", "plan-test.orders"),
        ("topic", "plan-test.buyers"),
        ("connector", "table.include.list"),
        ("connector", "transforms"),
        ("connector", "transforms.route_buyers.regex"),
        ("connector", "transforms.route_buyers.replacement"),
        ("connector", "transforms.route_buyers.type"),
        ("snapshot", "buyers"),
    ]
    assert plan.live[1].what == "keeps records for 9 days instead of 7"
    assert fluvial(stack, "apply", tables, "--plan", plan.hash).startswith(f"applied {plan.hash} (forward only)")

    with source(stack) as connection:
        connection.execute("update orders set colour = 'red' where id = 1")
    await_rows(stack, tables, "select count(*) as n from buyers__current", 3)
    await_rows(stack, tables, "select count(*) as n from orders__current where colour = 'red'", 1)
    assert "nothing to do" in fluvial(stack, "plan", tables)


def test_deploying_an_edit_that_is_refused_is_refused_as_well(stack: Stack, tables: Path) -> None:
    good = tables.read_text()
    tables.write_text(good.replace("primary_key: id", "primary_key: [id, note]", 1))
    try:
        result = CliRunner().invoke(app, ["apply", str(tables), "--home", str(stack.home.root), "--yes"])
        assert "orders.primary_key" in str(result.exception)
        with pytest.raises(Exception, match="concerns what is stored already"):
            perform(stack, tables, StepKind.STREAMING)
    finally:
        tables.write_text(good)
