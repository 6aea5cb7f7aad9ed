from collections.abc import Mapping
from random import Random
from types import MappingProxyType

import duckdb
import pyarrow as pa
import pytest

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.io.lake import connect
from fluvial.verify.rederive import rederivation_sql
from tests.oracle.fold import Event, Version, fold
from tests.unit.io.lakes import use_case_of

LOG_SCHEMA = pa.schema(
    {
        "k1": pa.int32(),
        "k2": pa.string(),
        "a": pa.int32(),
        "b": pa.string(),
        "_sequence": pa.string(),
        "_operation": pa.string(),
        "_commit_time": pa.int32(),
        "_is_quarantined": pa.bool_(),
        "_not_authored_columns": pa.list_(pa.string()),
        "_payload_hash": pa.int64(),
    }
)


def table_of(*track_columns: str, names: Mapping[str, str] = MappingProxyType({})) -> Table:
    """The columns k1, k2, a and b, or with other `names`."""
    kinds = {"k1": "int", "k2": "string", "a": "int", "b": "string"}
    return use_case_of(
        {
            "name": "t",
            "primary_key": [names.get(name, name) for name in ("k1", "k2")],
            "schema": [{"name": names.get(name, name), "type": kind} for name, kind in kinds.items()],
            "track_columns": track_columns,
        }
    ).tables[0]


def named_by(columns: frozenset[str], names: Mapping[str, str]) -> frozenset[str]:
    return frozenset(names.get(name, name) for name in columns)


def random_event(random: Random, key: int) -> Event:
    operations = ["INSERT", "UPDATE", "READ", "DELETE", "TRUNCATE", "SNAPSHOT"]
    operation = random.choices(operations, [2, 6, 4, 2, 0.3, 0.3])[0]
    epoch, is_streamed = random.randrange(2), operation != "SNAPSHOT" and (operation != "READ" or random.random() < 0.3)
    sequence = f"{epoch:04X}.{is_streamed:d}.{random.randrange(1, 9 if is_streamed else 4):016X}"
    commit_time = random.randrange(30)
    if operation == "TRUNCATE":
        return Event(None, sequence, operation, commit_time, payload_hash=random.randrange(9))
    if operation == "SNAPSHOT":
        return Event(None, sequence, operation, commit_time, epoch_start=f"{epoch:04X}.0.{0:016X}")
    identity = ((key, f"k{key % 2}"), sequence, operation, commit_time)
    if operation == "DELETE":
        return Event(*identity, payload_hash=random.randrange(9))
    stated = {"a": random.choice([1, 2, None]), "b": random.choice(["x", "y", None])}
    left_out = frozenset(name for name in stated if random.random() < 0.25)
    values = {name: value for name, value in stated.items() if name not in left_out}
    return Event(*identity, values, left_out, random.randrange(9), random.random() < 0.12)


def row_of(event: Event) -> dict[str, object]:
    key = event.key or (None, None)
    values = {} if event.is_quarantined else event.values
    left_out = sorted(event.not_authored) or None
    cells = (*key, values.get("a"), values.get("b"), *event[1:4], event.is_quarantined, left_out, event.payload_hash)
    return dict(zip(LOG_SCHEMA.names, cells, strict=True))


def derive(events: list[Event], *track_columns: str, names: Mapping[str, str] = MappingProxyType({})) -> list[Version]:
    connection, table = connect(), table_of(*track_columns, names=names)
    log = pa.Table.from_pylist([row_of(event) for event in events], schema=LOG_SCHEMA)
    connection.register("log", log.rename_columns([names.get(name, name) for name in log.column_names]))
    rows = connection.execute(f"{rederivation_sql(table, 'log')} ORDER BY ALL").fetchall()
    return sorted(
        Version((k1, k2), sequence, operation, {"a": a, "b": b}, start, end, end_sequence, doubt, frozenset(unresolved))
        for k1, k2, a, b, sequence, operation, start, end, _, end_sequence, doubt, unresolved in rows
    )  # fmt: skip


def unique(events: list[Event]) -> list[Event]:
    """Of events that the log would take for one another, the first."""
    found: dict[object, Event] = {}
    for event in events:
        found.setdefault((event.key, event.sequence, event.operation, event.payload_hash, event.is_quarantined), event)
    return list(found.values())


@pytest.mark.parametrize("track_columns", [(), ("a",), ("a", "b"), ("b",)])
def test_the_query_gives_what_the_fold_gives(track_columns: tuple[str, ...]) -> None:
    random = Random(len(track_columns))
    events = unique([random_event(random, key) for key in range(3000) for _ in range(random.randrange(1, 10))])
    lonely = [event for event in events if event.key]
    truncates, snapshots = ([event for event in events if event.operation == name][:2] for name in c.KEYLESS)
    for chosen in (lonely, lonely + truncates, lonely + snapshots, lonely + truncates + snapshots):
        assert derive(chosen, *track_columns) == fold(chosen, track_columns)


@pytest.mark.parametrize("track_columns", [(), ("end_",)])
def test_a_column_may_have_any_name(track_columns: tuple[str, ...]) -> None:
    """Such as one that the query might give to a column of its own."""
    names = {"k1": "last_b", "k2": "life_", "a": "end_", "b": "kind_"}
    random = Random(3)
    events = unique([random_event(random, key) for key in range(50) for _ in range(5)])
    named = [event._replace(not_authored=named_by(event.not_authored, names)) for event in events]
    expected = fold(events, ("a",) if track_columns else ())
    assert derive(named, *track_columns, names=names) == [
        version._replace(unresolved=named_by(version.unresolved, names)) for version in expected
    ]


def test_an_empty_log_gives_no_version() -> None:
    assert derive([]) == []


def test_a_table_of_key_columns_alone_has_versions_too() -> None:
    table = use_case_of({"name": "t", "primary_key": "k", "schema": [{"name": "k", "type": "int"}]}).tables[0]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE log AS SELECT 1 k, '1' _sequence, 'INSERT' _operation, 5 _commit_time")
    connection.execute("ALTER TABLE log ADD COLUMN _is_quarantined BOOLEAN DEFAULT false")
    connection.execute("ALTER TABLE log ADD COLUMN _not_authored_columns VARCHAR[]")
    connection.execute("ALTER TABLE log ADD COLUMN _payload_hash BIGINT DEFAULT 0")
    assert connection.execute(rederivation_sql(table, "log")).fetchall() == [
        (1, "1", "INSERT", 5, None, True, None, None, [])
    ]
