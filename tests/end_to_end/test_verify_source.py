"""The comparison with a live PostgreSQL; the lake is written by hand, so that every difference is on purpose."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fluvial.errors import SourceError
from fluvial.io.verify import Difference
from fluvial.io.verify_source import SourceVerdict, verify_source
from tests.end_to_end.conftest import Stack
from tests.unit.io.lakes import HISTORY_SCHEMA, LOG_SCHEMA, places_of, use_case_of, write_rows

pytestmark = pytest.mark.stack
TABLE = {
    "name": "vehicles",
    "primary_key": ["id"],
    "schema": [
        {"name": "id", "type": "int"},
        {"name": "plate", "type": "string"},
        {"name": "price", "type": "decimal(38,4)"},
        {"name": "seen_at", "type": "timestamp"},
    ],
    "transforms": [
        {"type": "trim", "column": "plate"},
        {"type": "upper", "column": "plate", "order": 1},
        {"type": "mask_pii", "column": "plate", "order": 2, "params": {"visible_chars": 3}},
        {"type": "round", "column": "price", "params": {"decimals": 1}},
    ],
}
USE_CASE = use_case_of(TABLE)
LONG_AGO = datetime(1883, 11, 18, 12, 0, 0, 123456, tzinfo=UTC)
SOURCE: list[tuple[Any, ...]] = [
    (1, '  ab-"x",\n', Decimal("1.2500"), LONG_AGO),
    (2, "\\N", Decimal("99999999999999999999999999999999.9999"), None),
    (3, None, None, None),
    (4, "", Decimal("-0.0500"), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
]
LAKE: list[tuple[Any, ...]] = [
    (1, '*****",\n', Decimal("1.3000"), LONG_AGO),
    (2, "**", Decimal("100000000000000000000000000000000.0000"), None),
    (3, None, None, None),
    (4, "", Decimal("-0.1000"), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
]
HELD = {"id": 5, "_operation": "INSERT", "_is_quarantined": True}


@pytest.fixture
def dsn(stack: Stack) -> str:
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("drop database if exists verify_source")
        server.execute("create database verify_source")
    found = stack.endpoints.postgres_dsn("verify_source")
    with psycopg.connect(found, autocommit=True) as source:
        source.execute(
            "create table vehicles (id int primary key, plate text, price numeric(38,4), seen_at timestamptz)"
        )
        source.cursor().executemany("insert into vehicles values (%s, %s, %s, %s)", SOURCE)
    return found


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    places, sequence = places_of(USE_CASE, tmp_path, "vehicles"), "0000.1.0000000000000001"
    rows = [{**dict(zip(("id", "plate", "price", "seen_at"), row, strict=True)), "_sequence": sequence} for row in LAKE]
    versions = [{**row, "_is_current": True} for row in rows]
    write_rows(places.history, versions, HISTORY_SCHEMA, partition_by=["_is_current"])
    logged = [{**row, "_operation": "INSERT", "_is_quarantined": False} for row in rows]
    write_rows(places.log, [*logged, {**HELD, "_sequence": sequence}], LOG_SCHEMA)
    return tmp_path


def check(lake: Path, dsn: str) -> SourceVerdict:
    return verify_source(USE_CASE, lake, USE_CASE.tables[0], dsn, patience=0)


def test_equal_tables_are_found_equal_by_their_hashes_alone(lake: Path, dsn: str) -> None:
    verdict = check(lake, dsn)
    assert (verdict.rows, verdict.ranges_compared, verdict.differences) == (4, 0, ())


def test_values_are_compared_one_by_one_where_hashes_differ(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("update vehicles set plate = 'xy-7' where id = 3")
        source.execute("delete from vehicles where id = 4")
        source.execute("insert into vehicles values (6, 'new')")
    assert [(found.key, found.column, found.expected, found.found) for found in check(lake, dsn).differences] == [
        ("id=3", "plate", "*Y-7", None),
        ("id=4", "*", None, "a row"),
        ("id=6", "*", "a row", None),
    ]


def test_rows_that_only_the_lake_has_are_found(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("delete from vehicles")
    found = check(lake, dsn).differences
    assert [(each.key, each.expected, each.found) for each in found] == [
        (f"id={key}", None, "a row") for key in (1, 2, 3, 4)
    ]


def test_carriage_returns_are_values_like_others(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("update vehicles set plate = e'\\r', price = 1 where id = 1")
        source.execute("update vehicles set plate = e'a\\r\\nb\\r' where id = 3")
    found = [(each.key, each.column, each.expected) for each in check(lake, dsn).differences]
    assert found == [("id=1", "plate", "*"), ("id=1", "price", "1.0000"), ("id=3", "plate", "**\nB\r")]


def test_what_isnt_committed_isnt_compared(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn) as writer:
        verdict = check(lake, dsn)
        writer.execute("delete from vehicles")
        assert verdict.is_same
        writer.rollback()


def test_times_that_never_come_are_left_out_with_the_keys_that_quarantine_holds(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("insert into vehicles (id, seen_at) values (5, '-infinity')")
    verdict = check(lake, dsn)
    assert (verdict.rows, verdict.quarantined, verdict.differences) == (5, 1, ())


def test_a_number_without_end_is_told_from_what_the_lake_has(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("alter table vehicles alter price type numeric")
        source.execute("update vehicles set price = 'infinity' where id = 1")
    assert [(found.key, found.column) for found in check(lake, dsn).differences] == [("id=1", "price")]


def test_a_time_that_never_comes_is_told_from_no_time(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("update vehicles set seen_at = 'infinity' where id = 3")
    assert [(found.key, found.column, found.expected) for found in check(lake, dsn).differences] == [
        ("id=3", "seen_at", "infinity")
    ]


def test_no_slot_is_left_behind(lake: Path, dsn: str) -> None:
    check(lake, dsn)
    with psycopg.connect(dsn) as source:
        slots = "select count(*) from pg_replication_slots where slot_name like 'fluvial_verify%' and active"
        assert source.execute(slots).fetchone() == (0,)


def test_a_missing_table_is_a_source_error(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("drop table vehicles")
    with pytest.raises(SourceError, match=r'"public\.vehicles"'):
        check(lake, dsn)


def test_a_difference_names_the_version_it_was_found_in(lake: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as source:
        source.execute("update vehicles set price = 7 where id = 1")
    assert check(lake, dsn).differences == (Difference("id=1", "0000.1.0000000000000001", "price", "7.0000", "1.3000"),)
