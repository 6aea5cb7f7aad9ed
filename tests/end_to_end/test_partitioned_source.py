"""A source table that PostgreSQL keeps in partitions is one table to the lake, whatever partition a row lies in."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fluvial.io.source_catalog import read_source_facts
from fluvial.io.verify_source import verify_source
from fluvial.local.steps.health import check_health
from fluvial.plan.steps import StepKind, plan_deployment
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import PATIENCE_SECONDS, Pipeline, deployed

pytestmark = [pytest.mark.stack, pytest.mark.slow]
TABLES = """
settings:
  checkpoint_location: s3://meters/checkpoint
  quarantine_path: s3://meters/quarantine
  delta_bucket: s3://meters/lake
  trigger_interval: 500 milliseconds
kafka: {bootstrap_servers: "127.0.0.1:9092"}
tables:
  - name: readings
    topic: meters.readings
    primary_key: [id, month]
    schema:
      - {name: id, type: bigint}
      - {name: month, type: int}
      - {name: value, type: int}
      - {name: remark, type: string}
"""
LONG = "string_agg(md5(i::text), '') from generate_series(1, 2000) as i"
SOURCE = f"""
create table readings (id bigint, month int, value int, remark text, primary key (id, month))
partition by range (month);
create table readings_1 partition of readings for values from (1) to (2);
create table readings_2 partition of readings for values from (2) to (3) partition by list (id);
create table readings_2_a partition of readings_2 for values in (1, 2, 3);
insert into readings values (1, 1, 10, 'a'), (2, 2, 20, 'b');
insert into readings select 3, 2, 30, {LONG};
"""
CHANGES = (
    "update readings set value = 11 where id = 1",
    "update readings set value = 31 where id = 3",
    "update readings set month = 1 where id = 2",
    "create table readings_3 partition of readings for values from (3) to (4)",
    "insert into readings values (4, 3, 40, 'd')",
    "insert into readings_1 values (5, 1, 50, 'e')",
    "delete from readings where id = 5",
)


@pytest.fixture(scope="module")
def meters(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The partitions are there before anything is captured."""
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("create database meters")
    with psycopg.connect(stack.endpoints.postgres_dsn("meters"), autocommit=True) as source:
        source.execute(SOURCE)
    with deployed(stack, tmp_path_factory.mktemp("config"), "meters", TABLES) as pipeline:
        yield pipeline


def source_of(pipeline: Pipeline) -> psycopg.Connection[Any]:
    return psycopg.connect(pipeline.stack.endpoints.postgres_dsn("meters"), autocommit=True)


def wait_for(pipeline: Pipeline, versions: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while pipeline.count("readings") < versions and time.monotonic() < deadline:
        time.sleep(0.5)


def test_every_change_of_every_partition_is_a_version_of_the_one_table(meters: Pipeline) -> None:
    wait_for(meters, 3)
    with source_of(meters) as source:
        for change in CHANGES:
            source.execute(change)
    wait_for(meters, 8)
    found = meters.query(
        "select id, month, value, _is_current as now, length(remark) as n from readings order by 1, 3, 2"
    )
    assert [tuple(row.values()) for row in found] == [
        (1, 1, 10, False, 1),
        (1, 1, 11, True, 1),
        (2, 1, 20, True, 1),
        (2, 2, 20, False, 1),
        (3, 2, 30, False, 64_000),
        (3, 2, 31, True, 64_000),
        (4, 3, 40, True, 1),
        (5, 1, 50, False, 1),
    ]
    dsn = meters.stack.endpoints.postgres_dsn("meters")
    verdict = verify_source(meters.use_case, meters.home.lake, meters.use_case.tables[0], dsn, PATIENCE_SECONDS)
    assert (verdict.rows, verdict.differences) == (4, ())
    with source_of(meters) as source:
        source.execute("truncate readings")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while meters.count("readings", "_is_current") and time.monotonic() < deadline:
        time.sleep(0.5)
    assert (meters.count("readings"), meters.count("readings", "_is_current")) == (8, 0)


def test_a_partition_that_came_later_says_less_until_the_next_deployment(meters: Pipeline) -> None:
    dsn = meters.stack.endpoints.postgres_dsn("meters")

    def identity() -> tuple[str, bool]:
        table = read_source_facts(dsn, meters.use_case).tables["readings"]
        return table.identity, table.is_partitioned

    assert identity() == ("default", True)
    meters.run(tuple(step for step in plan_deployment(meters.use_case) if step.kind is StepKind.SOURCE_TABLES))
    assert identity() == ("full", True)


def test_the_health_check_tells_what_the_capture_misses_of_a_source_that_was_changed(meters: Pipeline) -> None:
    def problems() -> dict[str, str]:
        return {
            check.name: check.problem for check in check_health(meters.use_case, meters.home).checks if not check.ok
        }

    with source_of(meters) as source:
        source.execute("alter table readings rename remark to note")
        differs = "database 'meters' differs from tables.yaml:\n  table public.readings: column remark text is missing"
        assert problems() == {"source": differs}
        source.execute("alter table readings rename note to remark")
        assert problems() == {}
        source.execute("create table fresh (like readings including all)")
        source.execute("alter table readings rename to readings_before")
        source.execute("alter table fresh rename to readings")
    assert problems() == {"source": "database 'meters' has no published table public.readings"}
    meters.run(tuple(step for step in plan_deployment(meters.use_case) if step.kind is StepKind.SOURCE_TABLES))
    assert problems() == {}
