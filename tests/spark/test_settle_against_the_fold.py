"""Many small stories packed into few Spark jobs: after each settle the history equals the plain fold of the log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from fluvial.history.epoch import reach_of_text
from fluvial.history.range_bounds import Keyless, RangeBounds, near_rows, near_versions
from fluvial.history.settle import FIRST
from fluvial.io.prepared_settle import PreparedSettle
from fluvial.streams import ACTION, History, LogRows
from tests.oracle.fold import Event, Version, fold
from tests.unit.verify.test_rederive import random_event, table_of, unique

KEYS, ROUNDS = 400, 3
START = datetime(2026, 1, 1, tzinfo=UTC)
BUSINESS = "k1 int, k2 string, a int, b string, _sequence string, _operation string"
LOG = (
    f"{BUSINESS}, _commit_time timestamp, _is_quarantined boolean, _not_authored_columns array<string>, "
    "_payload_hash bigint, _ingested_at timestamp"
)
HISTORY = (
    f"{BUSINESS}, _effective_from timestamp, _effective_to timestamp, _is_current boolean, _end_sequence string, "
    "_uncertain_since string, _unresolved_columns array<string>, _ingested_at timestamp"
)
Versions = dict[tuple[Any, str], Version]


def moment(second: int | None) -> datetime | None:
    return None if second is None else START + timedelta(seconds=second)


def log_row(event: Event) -> tuple[Any, ...]:
    values = {} if event.is_quarantined else event.values
    return (
        *(event.key or (None, None)),
        values.get("a"),
        values.get("b"),
        event.sequence,
        event.operation,
        moment(event.commit_time),
        event.is_quarantined,
        sorted(event.not_authored) or None,
        event.payload_hash,
        START,
    )


def history_row(version: Version) -> tuple[Any, ...]:
    return (
        *version.key,
        version.values["a"],
        version.values["b"],
        version.sequence,
        version.operation,
        moment(version.effective_from),
        moment(version.effective_to),
        version.end_sequence is None,
        version.end_sequence,
        version.uncertain_since,
        sorted(version.unresolved) or None,
        START,
    )


def version_of(row: Row) -> Version:
    return Version(
        (row.k1, row.k2),
        row._sequence,
        row._operation,
        {"a": row.a, "b": row.b},
        row.start,
        row.end,
        row._end_sequence,
        row._uncertain_since,
        frozenset(row._unresolved_columns or ()),
    )


def micros(second: int) -> int:
    return int((START + timedelta(seconds=second)).timestamp()) * 1_000_000


def keyless_of(events: list[Event]) -> Keyless | None:
    found = [event for event in events if event.key is None]
    latest = max((event.commit_time for event in found), default=0)
    return Keyless(max(event.sequence for event in found), micros(latest)) if found else None


def earliest_of(log: list[Event], new: list[Event]) -> int:
    """Of what is derived again: rows of a snapshot reach back over older ones of it."""
    starts = [start for event in new if (start := reach_of_text(event.sequence)) != event.sequence]
    again = [event for event in log if starts and event.sequence >= min(starts)]
    return min(event.commit_time for event in (*new, *again))


def bounds_of(log: list[Event], new: list[Event], *, touches_many: bool) -> RangeBounds:
    return RangeBounds(
        min(reach_of_text(event.sequence) for event in new),
        micros(earliest_of(log, new)),
        keyless_of(new),
        keyless_of(log),
        any(event.not_authored for event in log),
        touches_many=touches_many,
    )


def log_of(spark: SparkSession, events: list[Event]) -> LogRows:
    return LogRows(spark.createDataFrame([log_row(event) for event in events], LOG))


def history_of(spark: SparkSession, known: Versions) -> History:
    return History(spark.createDataFrame([history_row(version) for version in known.values()], HISTORY))


def settle(steps: PreparedSettle, log: list[Event], new: list[Event], known: Versions, *, touches_many: bool) -> int:
    spark, bounds = steps.session, bounds_of(log, new, touches_many=touches_many)
    rows, fresh, history = log_of(spark, log), log_of(spark, new), history_of(spark, known)
    near = near_versions(history, bounds)
    if not steps.table.track_columns:
        return take_in(steps.changes(fresh, near_rows(rows, bounds), near, bounds), known)
    touched = steps.touched_runs(fresh, near, bounds)
    bounds = replace(bounds, min_sequence=touched.agg(F.min(FIRST)).collect()[0][0])
    rows_from_there, near = near_rows(rows, bounds), near_versions(history, bounds)
    return take_in(steps.changes_of_runs(touched, rows_from_there, near, bounds), known)


def take_in(changes: DataFrame, known: Versions) -> int:
    """Applies the changes to what is known; how many there were."""
    seconds = [
        (F.unix_timestamp(name) - int(START.timestamp())).cast("int").alias(alias)
        for name, alias in (("_effective_from", "start"), ("_effective_to", "end"))
    ]
    rows = changes.select("*", *seconds).collect()
    for row in rows:
        version = version_of(row)
        assert (row[ACTION] == "INSERT") == ((version.key, version.sequence) not in known)
        known[version.key, version.sequence] = version
        if row[ACTION] == "DELETE":
            del known[version.key, version.sequence]
    return len(rows)


def random_log(random: Random, keys: int, keyless: int) -> list[Event]:
    events = unique([random_event(random, key) for key in range(keys) for _ in range(random.randrange(1, 10))])
    return [event for event in events if event.key] + [event for event in events if not event.key][:keyless]


@pytest.mark.parametrize(
    ("seed", "track_columns", "keyless", "touches_many"),
    [(2, (), 8, False), (2, (), 8, True), (4, ("a",), 6, True), (5, ("b",), 4, False)],
)
def test_each_settle_leaves_what_the_fold_gives(
    spark: SparkSession, seed: int, track_columns: tuple[str, ...], keyless: int, touches_many: bool
) -> None:
    random = Random(seed)
    chosen, steps = random_log(random, KEYS, keyless), PreparedSettle(spark, table_of(*track_columns))
    random.shuffle(chosen)
    log: list[Event] = []
    known: Versions = {}
    for number in range(ROUNDS):
        new = chosen[number::ROUNDS]
        log += new
        settle(steps, log, new, known, touches_many=touches_many)
        assert sorted(known.values()) == fold(log, track_columns), f"round {number}"
    assert settle(steps, log, new, known, touches_many=touches_many) == 0


@pytest.mark.parametrize("touches_many", [False, True])
@pytest.mark.parametrize("keyless", [0, 8])
def test_a_range_in_which_nothing_is_late_needs_no_other_rows(
    spark: SparkSession, keyless: int, touches_many: bool
) -> None:
    random, steps, known = Random(keyless), PreparedSettle(spark, table_of()), Versions()
    chosen, log = random_log(random, KEYS, keyless), list[Event]()
    for number, (first, end) in enumerate(pairwise(["0000", "0000.1.0000000000000005", "0001", "0002"])):
        found = [event for event in chosen if first <= event.sequence < end]
        new = [event._replace(commit_time=event.commit_time + 30 * number) for event in found]
        log += new
        bounds = bounds_of(log, new, touches_many=touches_many)
        near = near_versions(history_of(spark, known), bounds)
        assert take_in(steps.changes_of_new(log_of(spark, new), near, bounds), known)
        assert sorted(known.values()) == fold(log, ()), f"round {number}"


def test_many_keys_aren_t_sent_to_each_task(spark: SparkSession) -> None:
    new = [event for event in random_log(Random(1), KEYS, 0) if not event.is_quarantined]
    steps, rows, nothing = PreparedSettle(spark, table_of()), log_of(spark, new), history_of(spark, {})
    for touches_many in (True, False):
        bounds = bounds_of(new, new, touches_many=touches_many)
        for changes in (steps.changes(rows, rows, nothing, bounds), steps.changes_of_new(rows, nothing, bounds)):
            plan = changes._jdf.queryExecution().executedPlan().toString()
            assert ("Broadcast" in plan) != touches_many
