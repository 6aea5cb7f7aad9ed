"""Many small stories packed into few Spark jobs: after each settle the history equals the plain fold of the log."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from fluvial.history.range_bounds import near_rows, near_versions
from fluvial.history.settle import FIRST
from fluvial.io.prepared_settle import PreparedSettle
from fluvial.streams import ACTION, History, LogRows
from tests.oracle.fold import Event, Version, fold
from tests.oracle.rounds import START, Versions, bounds_of, history_row, log_row, random_log
from tests.unit.verify.test_rederive import table_of

KEYS, ROUNDS = 400, 3
BUSINESS = "k1 int, k2 string, a int, b string, _sequence string, _operation string"
LOG = (
    f"{BUSINESS}, _commit_time timestamp, _is_quarantined boolean, _not_authored_columns array<string>, "
    "_payload_hash bigint, _ingested_at timestamp"
)
HISTORY = (
    f"{BUSINESS}, _effective_from timestamp, _effective_to timestamp, _is_current boolean, _end_sequence string, "
    "_uncertain_since string, _unresolved_columns array<string>, _ingested_at timestamp"
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


def test_a_truncate_closes_what_was_streamed_at_its_own_sequence(spark: SparkSession) -> None:
    steps, known, place = PreparedSettle(spark, table_of()), Versions(), "0000.1.0000000000000001"
    log = [Event((1, "k1"), place, "UPDATE", 29, {"a": 2, "b": "x"})]
    assert settle(steps, log, log, known, touches_many=False) == 1
    truncate = Event(None, place, "TRUNCATE", 29)
    assert settle(steps, [*log, truncate], [truncate], known, touches_many=False) == 1
    assert [*known.values()] == fold([*log, truncate], ()) == []


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
