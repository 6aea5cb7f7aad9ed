"""`fluvial validate --live` against the real PostgreSQL."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.end_to_end.conftest import Stack
from tests.unit.config.samples import SHOP

pytestmark = pytest.mark.stack

DDL = """
create table orders (
  id bigint primary key, email text, total numeric(12,2), is_gift boolean, placed_on date, photo bytea
);
alter table orders replica identity full;
create table buyers (country text not null, id bigint, primary key (country, id));
do $$ begin if not exists (select from pg_roles where rolname = 'cdc') then create role cdc login replication; end if;
end $$;
grant select on orders, buyers to cdc;
"""


@pytest.fixture
def shop(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """A database with two tables, one of them not quite as configured."""
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("create database validate_live")
        with psycopg.connect(stack.endpoints.postgres_dsn("validate_live"), autocommit=True) as connection:
            connection.execute(DDL)
            yield connection
        server.execute("drop database validate_live with (force)")


def validate(stack: Stack, folder: Path, dsn: str) -> tuple[int, Any]:
    path = folder / "shop"
    path.mkdir(exist_ok=True)
    (path / "tables.yaml").write_text(SHOP)
    command = [sys.executable, "-m", "fluvial.cli.app", "validate", str(path), "--live", "--format", "json"]
    done = subprocess.run([*command, "--source", dsn], check=False, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_the_running_source_is_held_against_the_file(
    stack: Stack, shop: psycopg.Connection[Any], tmp_path: Path
) -> None:
    dsn = stack.endpoints.postgres_dsn("validate_live")

    status, report = validate(stack, tmp_path, dsn)

    assert (status, [(each["code"], each["line"], each["found"]) for each in report["problems"]]) == (
        1,
        [("W010", 37, "default"), ("E066", 38, "country, id")],
    )
    shop.execute("alter table buyers replica identity full")
    shop.execute("alter table buyers drop constraint buyers_pkey, add primary key (id, country)")
    status, report = validate(stack, tmp_path, dsn)
    assert (status, report["valid"], report["problems"]) == (0, True, [])

    shop.execute("alter table orders drop column photo, alter column total type numeric(20,6)")
    _, report = validate(stack, tmp_path, dsn)
    assert [(each["code"], each["line"]) for each in report["problems"]] == [("E065", 21), ("E064", 24)]


def test_what_the_capture_would_not_see_is_told(stack: Stack, shop: psycopg.Connection[Any], tmp_path: Path) -> None:
    dsn = stack.endpoints.postgres_dsn("validate_live")
    shop.execute("alter table buyers replica identity full")
    shop.execute("alter table buyers drop constraint buyers_pkey, add primary key (id, country)")
    shop.execute("alter table orders drop column email, add email text generated always as (id::text || '@') stored")
    shop.execute("alter table orders enable row level security")

    _, report = validate(stack, tmp_path, dsn)

    assert [(each["code"], each["hint"]) for each in report["problems"]] == [
        ("E069", "alter role cdc bypassrls"),
        ("E068", "leave it out, and derive it with a `map` if it is needed"),
    ]
    shop.execute("alter table orders drop column email, add email text, owner to cdc")
    _, report = validate(stack, tmp_path, dsn)
    assert report["problems"] == []

    shop.execute("create table rush_orders () inherits (orders)")
    shop.execute("alter table buyers set unlogged")
    _, report = validate(stack, tmp_path, dsn)
    assert [each["code"] for each in report["problems"]] == ["E070", "E071"]


def test_a_source_that_does_not_answer_is_no_verdict(stack: Stack, tmp_path: Path) -> None:
    status, told = validate(stack, tmp_path, stack.endpoints.postgres_dsn("no_such_database"))

    assert status == 2
    assert "the source of shop can't be checked" in told
    assert stack.endpoints.postgres_password not in told
