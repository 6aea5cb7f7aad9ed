"""Generated values of every type, from the real PostgreSQL through Debezium and Spark into a query: the same."""

import json
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io.query import open_lake, run_query
from fluvial.io.verify_source import verify_source
from fluvial.local.platform import run_plan
from fluvial.plan.steps import StepKind, plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]
ROWS, SEED, PATIENCE_SECONDS = 400, 20261121, 90
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TABLES = """
settings:
  checkpoint_location: s3://types-test/checkpoint
  quarantine_path: s3://types-test/quarantine
  delta_bucket: s3://types-test/lake
  trigger_interval: 500 milliseconds
kafka: {bootstrap_servers: "127.0.0.1:9092"}
tables:
  - name: samples
    topic: types-test.samples
    primary_key: id
    schema:
      - {name: id, type: bigint, nullable: false}
      - {name: exact, type: "decimal(38,10)"}
      - {name: free, type: "decimal(20,4)"}
      - {name: zoned, type: timestamp}
      - {name: plain, type: timestamp}
      - {name: day, type: date}
      - {name: flag, type: boolean}
      - {name: content, type: binary}
      - {name: ident, type: uuid}
      - {name: document, type: jsonb}
      - {name: numbers, type: string}
      - {name: mood, type: string}
      - {name: ratio, type: double}
      - {name: words, type: string}
      - {name: tags, type: string}
      - {name: code, type: "char(5)"}
      - {name: span, type: string}
      - {name: contact, type: string}
      - {name: amount, type: "decimal(12,2)"}
"""
SOURCE = """
create domain address as text check (value like '%@%');
create domain amount as numeric(12,2);
create type mood as enum ('calm', 'angry, "very"', 'ünder');
create table samples (
  id bigint primary key, exact numeric(38,10), free numeric, zoned timestamptz, plain timestamp, day date, flag boolean,
  content bytea, ident uuid, document jsonb, numbers bigint[], mood mood, ratio double precision, words text,
  tags text[], code char(5), span interval default '1 day 02:00:00', contact address, amount amount
);
"""
COLUMNS = [
    "id",
    "exact",
    "free",
    "zoned",
    "plain",
    "day",
    "flag",
    "content",
    "ident",
    "document",
    "numbers",
    "mood",
    "ratio",
    "words",
    "tags",
    "code",
    "contact",
    "amount",
]
INSERT = f"insert into samples ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"
UNREADABLE = {
    9001: ("free", "insert into samples (id, free) values (9001, 1.00005)"),
    9002: ("free", "insert into samples (id, free) values (9002, 10000000000000000)"),
    9003: ("free", "insert into samples (id, free) values (9003, 'NaN')"),
    9004: ("zoned", "insert into samples (id, zoned) values (9004, 'infinity')"),
    9005: ("plain", "insert into samples (id, plain) values (9005, '-infinity')"),
    9006: ("day", "insert into samples (id, day) values (9006, 'infinity')"),
    9007: ("day", "insert into samples (id, day) values (9007, '-infinity')"),
    9008: ("day", "insert into samples (id, day) values (9008, '0044-03-15 BC')"),
    9009: ("zoned", "insert into samples (id, zoned) values (9009, '0044-03-15 12:00:00+00 BC')"),
}


def sample(rng: random.Random, key: int) -> tuple[Any, ...]:
    """A row of values, edges of each type among them, one in ten of them NULL."""
    exact = Decimal(rng.choice([rng.randint(-(10**38) + 1, 10**38 - 1), 0, 1, -1])).scaleb(-10)
    free = Decimal(rng.randint(-(10**20) + 1, 10**20 - 1)).scaleb(-rng.randint(0, 4)).quantize(Decimal("0.0001"))
    moment = EPOCH + timedelta(
        microseconds=rng.choice([rng.randint(-2_717_000_000_000_000, 253_402_300_799_999_999), -1])
    )
    values = (
        exact,
        free if abs(free) < Decimal(10**16) else Decimal("9999999999999999.9999"),
        moment,
        moment.replace(tzinfo=None),
        rng.choice([date(1883, 11, 18), date(9999, 12, 31), date(1, 1, 1), moment.date()]),
        rng.random() < 0.5,
        rng.randbytes(rng.choice([0, 1, 3, 57, 200])),
        uuid.UUID(int=rng.getrandbits(128)),
        Jsonb({"a": rng.randint(-(2**53), 2**53), "ü": [None, True, {"x": '\\ " \n'}]}),
        [rng.randint(-(2**63), 2**63 - 1) for _ in range(rng.randint(0, 3))],
        rng.choice(["calm", 'angry, "very"', "ünder"]),
        rng.choice([rng.uniform(-1e300, 1e300), 0.1, 5e-324, 1.7976931348623157e308, float("inf")]),
        rng.choice(["", " ", "NULL", "\\N", "a\tb\n", "😀 ünïcode", "null", "0"]),
        [rng.choice(["", "NULL", 'a "b", {c}\\', "😀\nü", None]) for _ in range(rng.randint(0, 3))],
        rng.choice(["ab", "abcde", " é"]),
        rng.choice(["a@b", "ü 😀 @ "]),
        Decimal(rng.randint(-(10**12) + 1, 10**12 - 1)).scaleb(-2),
    )
    return (key, *(None if rng.random() < 0.1 else value for value in values))


@pytest.fixture(scope="module")
def fleet(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UseCase]:
    """Half of the rows come by the snapshot, half by the stream."""
    path = tmp_path_factory.mktemp("config") / "types-test" / "tables.yaml"
    path.parent.mkdir()
    path.write_text(TABLES)
    fleet, rng = load_use_case(path, local_placeholders()), random.Random(SEED)
    rows = [sample(rng, key) for key in range(ROWS)]
    with psycopg.connect(stack.endpoints.postgres_dsn(), autocommit=True) as server:
        server.execute("create database types_test")
    with psycopg.connect(stack.endpoints.postgres_dsn("types_test"), autocommit=True) as source:
        source.execute(SOURCE)
        source.cursor().executemany(INSERT, rows[: ROWS // 2])
        perform(stack, fleet, path, *(step.kind for step in plan_deployment(fleet) if step.kind is not StepKind.STACKS))
        source.cursor().executemany(INSERT, rows[ROWS // 2 :])
        for _, statement in UNREADABLE.values():
            source.execute(statement)
    yield fleet
    perform(stack, fleet, path, *(step.kind for step in plan_teardown(fleet)))


def perform(stack: Stack, fleet: UseCase, path: Path, *kinds: StepKind) -> None:
    steps = (*plan_deployment(fleet), *plan_teardown(fleet))
    chosen = tuple(step.with_inputs({"config": str(path)}) for kind in kinds for step in steps if step.kind is kind)
    run_plan(chosen, fleet, stack.home)


def query(stack: Stack, fleet: UseCase, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run_query(open_lake(fleet, stack.home.lake, sql), sql).to_pylist()
    return rows


def arrived(stack: Stack, fleet: UseCase) -> int:
    sql = "select (select count(*) from samples__current) + (select count(*) from samples__quarantine) as n"
    return int(query(stack, fleet, sql)[0]["n"])


def comparable(name: str, value: Any) -> Any:
    """What a query has to show for a value of the source."""
    match name, value:
        case "plain", datetime():
            return value.replace(tzinfo=UTC)
        case "ident", uuid.UUID():
            return str(value)
        case "document" | "numbers" | "tags", str():
            return json.loads(value)
        case "content", memoryview():
            return bytes(value)
        case _:
            return value


def test_every_value_comes_back_as_it_was_and_what_has_no_place_waits_in_quarantine(
    stack: Stack, fleet: UseCase
) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while arrived(stack, fleet) < ROWS + len(UNREADABLE) and time.monotonic() < deadline:
        time.sleep(0.5)
    held = query(
        stack, fleet, "select id, _violations[1].column as c, _violations[1].rule_id as r from samples__quarantine"
    )
    assert {row["id"]: (row["c"], row["r"]) for row in held} == {
        key: (column, "schema.type") for key, (column, _) in UNREADABLE.items()
    }
    with psycopg.connect(stack.endpoints.postgres_dsn("types_test")) as source:
        source.execute("set time zone 'UTC'")
        wanted = source.execute(f"select {', '.join(COLUMNS)} from samples where id < 9000 order by id").fetchall()
    found = query(stack, fleet, f"select {', '.join(COLUMNS)} from samples__current order by id")
    assert len(found) == ROWS
    for row, expected in zip(found, wanted, strict=True):
        assert {name: comparable(name, value) for name, value in row.items()} == {
            name: comparable(name, value) for name, value in zip(COLUMNS, expected, strict=True)
        }


def test_the_source_is_compared_but_for_what_has_no_place_and_what_the_capture_writes_otherwise(
    stack: Stack, fleet: UseCase
) -> None:
    dsn = stack.endpoints.postgres_dsn("types_test")
    verdict = verify_source(fleet, stack.home.lake, fleet.table("samples"), dsn, PATIENCE_SECONDS)
    assert (verdict.rows, verdict.quarantined) == (ROWS + len(UNREADABLE), len(UNREADABLE))
    assert (verdict.differences, verdict.not_compared) == ((), ("span", "tags"))
