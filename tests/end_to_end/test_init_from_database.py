"""`fluvial init --from-database` on the real PostgreSQL: what it makes validates and holds no value."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from tests.end_to_end.conftest import Stack

pytestmark = pytest.mark.stack

DDL = """
create type tier as enum ('silver', 'gold');
create table guests (
  guest_id bigint primary key, contact varchar(80), last_name text not null, tier tier, nights integer,
  balance numeric(12,2), tags text[], seen_at timestamptz
);
create table stays (guest_id bigint, room text, note text, primary key (room, guest_id));
create table loose (x text);
alter table guests replica identity full;
alter table stays replica identity full;
insert into guests select n, 'canary' || n || '@example.com', 'Canaryname' || n, 'gold', n, n - 50, '{canary}', now()
from generate_series(1, 300) n;
insert into stays select n, 'canaryroom', 'canarynote' from generate_series(1, 300) n;
do $$ begin if not exists (select from pg_roles where rolname = 'cdc') then create role cdc login replication; end if;
end $$;
grant select on guests, stays to cdc;
"""


@pytest.fixture
def dsn(stack: Stack) -> Iterator[str]:
    """A database with some life in it."""
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("create database hotel_to_be")
        with psycopg.connect(stack.endpoints.postgres_dsn("hotel_to_be"), autocommit=True) as connection:
            connection.execute(DDL)
        yield stack.endpoints.postgres_dsn("hotel_to_be")
        server.execute("drop database hotel_to_be with (force)")


def fluvial(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fluvial.cli.app", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)


def test_a_use_case_is_made_of_a_running_database(stack: Stack, dsn: str, tmp_path: Path) -> None:
    made = fluvial(tmp_path, "init", "hotel", "--from-database", dsn)

    assert (made.returncode, made.stderr) == (0, "")
    path = tmp_path / "config/hotel/tables.yaml"
    text = path.read_text()
    assert "anary" not in text
    assert stack.endpoints.postgres_password not in text + made.stdout

    checked = fluvial(tmp_path, "validate", "hotel", "--strict", "--live", "--source", dsn)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "1 file: no problems")

    use_case = load_use_case(path, local_placeholders())
    assert {table.name: table.primary_key for table in use_case.tables} == {
        "guests": ("guest_id",),
        "stays": ("room", "guest_id"),
    }
    guests = use_case.table("guests")
    assert guests.masked_columns == {"contact", "last_name"}
    assert [rule.id for rule in guests.dq_rules] == [
        "guests_contact_present",
        "guests_contact_length",
        "guests_contact_format",
        "guests_last_name_present",
        "guests_tier_present",
        "guests_tier_known",
        "guests_nights_present",
        "guests_nights_range",
        "guests_balance_present",
        "guests_seen_at_present",
    ]
    assert "# left out: loose: it has no primary key" in text
    assert "# not captured: tags: tables.yaml has no type for text[]" in text


def test_an_unknown_table_is_told_with_those_that_exist(dsn: str, tmp_path: Path) -> None:
    made = fluvial(tmp_path, "init", "hotel", "--from-database", dsn, "--table", "guest")

    assert made.returncode == 1
    assert "schema public has no table guest" in made.stderr
    assert not (tmp_path / "config").exists()
