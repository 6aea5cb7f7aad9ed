"""The compiled scripts, run as they are written, on the real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.end_to_end.conftest import Stack

pytestmark = pytest.mark.stack
GOLDEN = Path("tests/unit/compile/corner-shop/golden/source")


@pytest.fixture
def shop(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """An empty database, on a server that has the role by which Amazon RDS lets others replicate."""
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("create database compiled_ddl")
        server.execute("create role rds_replication nologin")
        with psycopg.connect(stack.endpoints.postgres_dsn("compiled_ddl"), autocommit=True) as connection:
            yield connection
        server.execute("drop database compiled_ddl with (force)")
        server.execute("drop role rds_replication")


def run(connection: psycopg.Connection[Any], pytestconfig: pytest.Config, *scripts: str) -> None:
    for script in scripts:
        connection.execute((pytestconfig.rootpath / GOLDEN / script).read_bytes())


def test_the_scripts_run_again_without_harm_and_make_what_is_configured(
    shop: psycopg.Connection[Any], pytestconfig: pytest.Config
) -> None:
    for _ in range(2):
        run(shop, pytestconfig, "tables.sql", "capture.sql", "capture-rds.sql")

    published = shop.execute("select tablename::text from pg_publication_tables order by 1").fetchall()
    assert published == [("Order_Lines",), ("fluvial_heartbeat",), ("fluvial_signal",), ("orders",)]
    types = "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'sales.orders'::regclass"
    assert [kind for (kind,) in shop.execute(f"{types} and attnum > 0 order by attnum")] == [
        "bigint",
        "numeric(12,2)",
        "text",
        "boolean",
        "timestamp with time zone",
        "date",
        "double precision",
        "bytea",
    ]


def test_the_capture_role_reads_every_table_and_writes_none_but_fluvials_own(
    shop: psycopg.Connection[Any], pytestconfig: pytest.Config
) -> None:
    run(shop, pytestconfig, "tables.sql", "capture-rds.sql")
    may = "select has_table_privilege('cdc', %s, 'select'), has_table_privilege('cdc', %s, 'insert')"

    assert shop.execute(may, ["sales.orders"] * 2).fetchone() == (True, False)
    assert shop.execute(may, ["sales.fluvial_heartbeat"] * 2).fetchone() == (True, True)
    assert shop.execute("select pg_has_role('cdc', 'rds_replication', 'member')").fetchone() == (True,)
