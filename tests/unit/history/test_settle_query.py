"""Many small stories, settled round by round by the driver's queries: the history equals the plain fold of the log."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from fluvial.config.model import Table
from fluvial.history.range_bounds import RangeBounds
from fluvial.history.settle_query import changes_sql, touched_sql
from fluvial.history.settle_templates import FIRST, FRESH, LOG_ROWS, ROW, TOUCHED, VERSIONS
from fluvial.streams import ACTION, FILE
from tests.oracle.fold import Event, Version, fold
from tests.oracle.rounds import START, Versions, bounds_of, history_row, log_row, random_log
from tests.unit.verify.test_rederive import named_by, table_of

KEYS, ROUNDS = 60, 3
MOMENT = pa.timestamp("us", "UTC")
BUSINESS: list[tuple[str, Any]] = [("k1", pa.int32()), ("k2", pa.string()), ("a", pa.int32()), ("b", pa.string())]
LOG = pa.schema(
    [
        *BUSINESS,
        ("_sequence", pa.string()),
        ("_operation", pa.string()),
        ("_commit_time", MOMENT),
        ("_is_quarantined", pa.bool_()),
        ("_not_authored_columns", pa.list_(pa.string())),
        ("_payload_hash", pa.int64()),
        ("_ingested_at", MOMENT),
    ]
)
HISTORY = pa.schema(
    [
        *BUSINESS,
        ("_sequence", pa.string()),
        ("_operation", pa.string()),
        ("_effective_from", MOMENT),
        ("_effective_to", MOMENT),
        ("_is_current", pa.bool_()),
        ("_end_sequence", pa.string()),
        ("_uncertain_since", pa.string()),
        ("_unresolved_columns", pa.list_(pa.string())),
        ("_ingested_at", MOMENT),
        (FILE, pa.string()),
    ]
)


NAMES = {"k1": "e", "k2": "order", "a": "end_", "b": "last_a"}
"""Other names for the columns: of aliases, words of SQL, and what a query may call its own columns."""


def rows_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema, table: Table) -> pa.Table:
    found = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    return found.rename_columns([*table.column_names, *schema.names[len(BUSINESS) :]])


def settle(table: Table, log: list[Event], rows: list[Event], new: list[Event], known: Versions) -> int:
    """Every round reads the whole log and history, as if no file could be left out."""
    bounds, versions = bounds_of(log, new), [(*history_row(version), "file") for version in known.values()]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register(FRESH, rows_of([log_row(event) for event in new], LOG, table))
        numbered = rows_of([log_row(event) for event in rows], LOG, table).append_column(ROW, [range(len(rows))])
        connection.register(LOG_ROWS, numbered)
        connection.register(VERSIONS, rows_of(versions, HISTORY, table))
        connection.execute(f"CREATE TABLE {TOUCHED} AS {touched_sql(table, bounds)}")
        first = connection.execute(f"SELECT min({FIRST}) FROM {TOUCHED}").fetchall()[0][0]
        may_repeat = any(event.operation == "READ" for event in rows)
        sql = changes_sql(table, replace(bounds, min_sequence=first or ""), may_repeat=may_repeat)
        changes = connection.sql(sql).to_arrow_table()
    told = [name for name, _ in BUSINESS]
    return take_in(changes.rename_columns([*told, *changes.column_names[len(told) :]]).to_pylist(), known)


def take_in(changes: list[dict[str, Any]], known: Versions) -> int:
    """Applies the changes to what is known; how many there were."""
    for row in changes:
        version = version_of(row)
        assert (row[ACTION] == "INSERT") == ((version.key, version.sequence) not in known)
        assert row[FILE] == (None if row[ACTION] == "INSERT" else "file")
        known[version.key, version.sequence] = version
        if row[ACTION] == "DELETE":
            del known[version.key, version.sequence]
    return len(changes)


def version_of(row: dict[str, Any]) -> Version:
    return Version(
        (row["k1"], row["k2"]),
        row["_sequence"],
        row["_operation"],
        {"a": row["a"], "b": row["b"]},
        second(row["_effective_from"]),
        second(row["_effective_to"]),
        row["_end_sequence"],
        row["_uncertain_since"],
        frozenset(row["_unresolved_columns"] or ()),
    )


def second(time: datetime | None) -> int | None:
    return None if time is None else (time - START) // timedelta(seconds=1)


@pytest.mark.parametrize("track_columns", [(), ("a",), ("b",)])
@pytest.mark.parametrize("keyless", [0, 1, 6])
@pytest.mark.parametrize("seed", range(4))
def test_each_settle_leaves_what_the_fold_gives(seed: int, keyless: int, track_columns: tuple[str, ...]) -> None:
    random, table = Random(seed), table_of(*track_columns)
    chosen, log, known = random_log(random, KEYS, keyless), list[Event](), Versions()
    random.shuffle(chosen)
    for number in range(ROUNDS):
        new = chosen[number::ROUNDS]
        log += new
        settle(table, log, log, new, known)
        assert sorted(known.values()) == fold(log, track_columns), f"round {number}"
    assert settle(table, log, log, new, known) == 0


@pytest.mark.parametrize("track_columns", [(), ("a",)])
@pytest.mark.parametrize("keyless", [0, 8])
def test_a_range_in_which_nothing_is_late_needs_no_other_rows(keyless: int, track_columns: tuple[str, ...]) -> None:
    random, table, known = Random(keyless), table_of(*track_columns), Versions()
    chosen, log = random_log(random, KEYS, keyless), list[Event]()
    for number, (first, end) in enumerate(pairwise(["0000", "0000.1.0000000000000005", "0001", "0002"])):
        found = [event for event in chosen if first <= event.sequence < end]
        new = [event._replace(commit_time=event.commit_time + 30 * number) for event in found]
        log += new
        assert settle(table, log, new if not track_columns else log, new, known)
        assert sorted(known.values()) == fold(log, track_columns), f"round {number}"


@pytest.mark.parametrize("track_columns", [(), ("end_",)])
def test_a_column_may_have_any_name(track_columns: tuple[str, ...]) -> None:
    table = table_of(*track_columns, names=NAMES)
    log, known = random_log(Random(7), KEYS, 3), Versions()
    named = [event._replace(not_authored=named_by(event.not_authored, NAMES)) for event in log]
    settle(table, named, named, named, known)
    expected = fold(log, ("a",) if track_columns else ())
    assert sorted(known.values()) == [each._replace(unresolved=named_by(each.unresolved, NAMES)) for each in expected]


def test_a_range_without_any_row_touches_nothing() -> None:
    bounds = RangeBounds("0000", 0, None, None, log_has_partial=False)
    with duckdb.connect() as connection:
        connection.register(FRESH, rows_of([], LOG, table_of()))
        connection.register(VERSIONS, rows_of([], HISTORY, table_of()))
        assert connection.execute(touched_sql(table_of(), bounds)).fetchall() == []
