"""Log rows that the counting pass writes: published whole or not at all, and the same as those of a held batch."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from fluvial.config.extensions import UserRule
from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import Table, UseCase
from fluvial.config.rules import UniqueRule
from fluvial.config.settle import SettlePolicy
from fluvial.errors import StorageError
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.failpoints import Crash, CrashAt, Failpoints
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.query_offsets import SoleTopic
from fluvial.io.staged_append import stage_append
from fluvial.io.table_writer import TableWriter
from fluvial.io.table_writers import MakeTableWriter, TableWriters
from fluvial.io.verify import verify_table
from fluvial.streams import BatchContext, Records, TableCounts
from tests.spark.lake_rows import data_files, read_rows
from tests.spark.records import TOPIC, debezium, dms, records
from tests.spark.test_lake_writer import item
from tests.spark.test_plans import context

PLAIN = [debezium("c", 5, item(1, "A")), debezium("c", 6, item(2, "A"))]
MIXED = [
    debezium("u", 10, item(1, "B")),
    debezium("u", 11, item(2, None)),
    "broken",
    None,
    debezium("d", 12, item(1, "B")),
    debezium("c", 13, item(3, "C")),
    debezium("c", 14, item(4, "D") | {"price": "-1"}),
]
LATER = [
    debezium("u", 20, item(3, "E")),
    debezium("c", 21, item(5, "F") | {"price": "-2"}),
    "broken, too",
    debezium("u", 22, item(1, None)),
]
COUNTS = TableCounts(consumed=7, log_rows=3, quarantined=2, dead_letters=1, tombstones=1)


Notes = list[tuple[bool, bool]]
"""For each batch: whether it was staged, and whether it stayed so."""


@dataclass
class NotingWriter(TableWriter):
    """Notes what was staged."""

    notes: Notes = field(default_factory=list)

    def check(self, records: Records, context: BatchContext, expected: int | None = None) -> CheckedBatch:
        stages = self._checker.stages
        batch = super().check(records, context, expected)
        self.notes.append((stages, batch.staged is not None))
        return batch


def make_noting(notes: Notes) -> MakeTableWriter:
    """Makes writers that note into one list; LakeWriter makes one for each table."""

    def make(
        session: SparkSession, table: Table, places: TableLocations, failpoints: Failpoints, policy: SettlePolicy
    ) -> TableWriter:
        return NotingWriter(session, table, places, failpoints, policy, notes)

    return make


@pytest.fixture
def notes() -> Notes:
    """Of this test's writers."""
    return []


@pytest.fixture
def new_process(spark: SparkSession, tiny: UseCase, lake: Path, notes: Notes) -> Callable[..., LakeWriter]:
    """Writers of the tiny use case's lake, or of another one; what they stage is noted."""

    def make(use_case: UseCase = tiny, path: Path = lake, failpoints: Failpoints | None = None) -> LakeWriter:
        return LakeWriter(
            spark,
            use_case,
            Locations(use_case, path),
            "query-1",
            failpoints=failpoints or Failpoints(),
            make_table_writer=make_noting(notes),
        )

    return make


class FirstThree(UserRule):
    """No verdict on a value, but on how many rows came before: the second look at some of them gives another."""

    type: Literal["first_three"] = "first_three"

    def violated(self, value: Column) -> Column:
        return F.monotonically_increasing_id() >= 3


def everything(tiny: UseCase, lake: Path) -> dict[str, list[str]]:
    """Every row of log, history, quarantine and dead letters, but for when and by which batch it came."""
    locations = Locations(tiny, lake)
    places = locations.table(tiny.table("items"))
    found = {"log": places.log, "history": places.history, "quarantine": places.quarantine}
    found |= {"dead letters": locations.dead_letters}
    unlike = {"_ingested_at", "_quarantined_at", "_batch_id", "batch_id", "dead_lettered_at"}
    return {
        name: sorted(str({key: row[key] for key in row if key not in unlike}) for row in read_rows(path))
        for name, path in found.items()
    }


def with_rows(table: Path) -> set[Path]:
    """Data files; where the first task has no row, Spark writes an empty one, which no table ever knows."""
    return {path for path in data_files(table) if pq.read_metadata(path).num_rows}


def test_rows_belong_to_the_table_once_they_are_committed(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    spark.range(2).write.format("delta").save(path)
    staged = stage_append(spark.range(2, 4), path)
    assert len(read_rows(path)) == 2
    staged.commit("a note")
    assert sorted(row["id"] for row in read_rows(path)) == [0, 1, 2, 3]
    staged.discard()
    assert len(read_rows(path)) == 4


def test_discarded_rows_leave_no_file(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "table"
    spark.range(2).write.format("delta").save(str(path))
    before = data_files(path)
    staged = stage_append(spark.range(2, 4), str(path))
    assert data_files(path) > before
    staged.discard()
    assert data_files(path) == before


def test_files_of_a_commit_that_may_have_come_through_are_never_deleted(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "table"
    spark.range(2).write.format("delta").save(str(path))
    staged = stage_append(spark.range(2, 4), str(path))
    commit = staged.transaction.commit

    def fail(*arguments: object, **options: object) -> int:
        commit(*arguments, **options)
        raise ConnectionError("no answer")

    staged.transaction.commit = fail
    with pytest.raises(ConnectionError):
        staged.commit("a note")
    staged.discard()
    assert len(read_rows(str(path))) == 4


def test_a_staged_batch_goes_where_a_held_one_goes(
    spark: SparkSession, tiny: UseCase, tmp_path: Path, notes: Notes, new_process: Callable[..., LakeWriter]
) -> None:
    lakes = []
    for name, writers in (("staged", 1), ("held", 2)):
        lake = tmp_path / name
        made = [new_process(path=lake) for _ in range(writers)]
        made[0].write(records(spark, PLAIN), 0)
        assert made[-1].write(records(spark, MIXED, first=10), 1) == {"items": COUNTS}
        lakes.append(everything(tiny, lake))
        assert verify_table(tiny, lake, tiny.table("items")).is_same
    assert lakes[0] == lakes[1]
    assert notes == [(False, False), (True, True), (False, False), (False, False)]


def test_what_the_quarantine_gets_staged_is_what_it_gets_held(
    spark: SparkSession, tiny: UseCase, tmp_path: Path, new_process: Callable[..., LakeWriter]
) -> None:
    lakes = []
    for name, writers in (("staged", 1), ("held", 3)):
        lake = tmp_path / name
        made = [new_process(path=lake) for _ in range(writers)]
        for batch, values in enumerate((PLAIN, MIXED, LATER)):
            made[min(batch, writers - 1)].write(records(spark, values, first=10 * batch), batch)
        lakes.append(everything(tiny, lake))
        assert verify_table(tiny, lake, tiny.table("items")).is_same
    assert lakes[0] == lakes[1]
    assert [len(lakes[0][name]) for name in ("log", "quarantine", "dead letters")] == [2 + 5 + 3, 2 + 2, 1 + 1]


@pytest.mark.parametrize("place", ["before quarantine", "after quarantine", "after log"])
def test_a_process_that_dies_around_staged_quarantine_rows_leaves_each_once(
    spark: SparkSession, tiny: UseCase, lake: Path, new_process: Callable[..., LakeWriter], place: str
) -> None:
    failpoints = CrashAt("")
    dying = new_process(failpoints=failpoints)
    for batch, values in enumerate((PLAIN, MIXED)):
        dying.write(records(spark, values, first=10 * batch), batch)
    failpoints.place = place
    with pytest.raises(Crash):
        dying.write(records(spark, LATER, first=20), 2)
    new_process().write(records(spark, LATER, first=20), 2)
    found = {name: len(rows) for name, rows in everything(tiny, lake).items()}
    assert (found["log"], found["quarantine"], found["dead letters"]) == (2 + 5 + 3, 2 + 2, 1 + 1)
    assert verify_table(tiny, lake, tiny.table("items")).is_same


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        ([PLAIN[0], debezium("u", 20, item(1, "B"))], TableCounts(consumed=2, log_rows=1, duplicates=1)),
        ([debezium("u", 20, item(1, "B"))] * 2, TableCounts(consumed=2, log_rows=1, duplicates=1)),
        ([dms("update", 21, item(9, "B"), before={"id": 1})], TableCounts(consumed=1, log_rows=1)),
    ],
    ids=["repeats the log", "repeats itself", "changes a key"],
)
def test_what_was_staged_is_dropped_where_not_all_of_a_batch_is_fresh(
    spark: SparkSession,
    tiny: UseCase,
    lake: Path,
    notes: Notes,
    new_process: Callable[..., LakeWriter],
    again: list[str],
    counts: TableCounts,
) -> None:
    writer = new_process()
    writer.write(records(spark, PLAIN), 0)
    assert writer.write(records(spark, again, first=10), 1) == {"items": counts}
    assert verify_table(tiny, lake, tiny.table("items")).is_same
    log = Path(Locations(tiny, lake).table(tiny.table("items")).log)
    assert notes == [(False, False), (True, False)]
    assert with_rows(log) == {Path(uri) for uri in DeltaTable(log).file_uris()}


LARGE = SoleTopic(TOPIC, 30_000)
"""Says of a batch that it may have more events than a driver keeps in mind."""


@pytest.mark.parametrize(
    ("values", "counts", "staged"),
    [
        (MIXED, COUNTS, True),
        ([debezium("u", 20 + n, item(1, "AB"[n % 2])) for n in range(4)], TableCounts(consumed=4, log_rows=4), True),
        (["broken", None], TableCounts(consumed=2, dead_letters=1, tombstones=1), False),
        ([*MIXED, MIXED[0]], replace(COUNTS, consumed=8, duplicates=1), False),
        ([*MIXED, PLAIN[0]], replace(COUNTS, consumed=8, duplicates=1), False),
    ],
    ids=["all new", "back and forth", "no event", "repeats itself", "repeats the log"],
)
def test_a_large_batch_is_told_from_one_that_repeats_something(
    spark: SparkSession,
    tiny: UseCase,
    lake: Path,
    notes: Notes,
    new_process: Callable[..., LakeWriter],
    values: list[str | None],
    counts: TableCounts,
    *,
    staged: bool,
) -> None:
    writer = new_process()
    writer.write(records(spark, PLAIN), 0)
    assert writer.write(records(spark, values, first=10), 1, sole=LARGE) == {"items": counts}
    assert notes == [(False, False), (True, staged)]
    assert verify_table(tiny, lake, tiny.table("items")).is_same


def test_an_event_whose_verdict_can_t_be_repeated_is_not_lost(
    spark: SparkSession, tiny: UseCase, lake: Path, notes: Notes, new_process: Callable[..., LakeWriter]
) -> None:
    """An extension's rule that looks at the clock may give another one, too."""
    items = tiny.table("items")
    rules = (*items.dq_rules, FirstThree(id="first_three", column="a"))
    use_case = tiny.model_copy(update={"tables": (items.model_copy(update={"dq_rules": rules}),)})
    writer = new_process(use_case)
    writer.write(records(spark, PLAIN).coalesce(1), 0)
    five = records(spark, [debezium("c", 9 + key, item(key, "A")) for key in range(3, 8)], first=10).coalesce(1)
    assert writer.write(five, 1) == {"items": TableCounts(consumed=5, log_rows=3, quarantined=2)}
    assert notes == [(False, False), (True, False)]
    assert len(read_rows(Locations(tiny, lake).table(items).quarantine)) == 2
    assert verify_table(tiny, lake, items).is_same


def test_rows_that_break_a_rule_together_are_quarantined_together(
    spark: SparkSession, tiny: UseCase, lake: Path, notes: Notes, new_process: Callable[..., LakeWriter]
) -> None:
    items = tiny.table("items")
    rule = UniqueRule(id="b_unique", type="unique", column="b", severity="error")
    unique = tiny.model_copy(update={"tables": (items.model_copy(update={"dq_rules": (*items.dq_rules, rule)}),)})
    writer = new_process(unique)
    writer.write(records(spark, [debezium("c", 5, item(1, "A", "x"))]), 0)
    shared = [debezium("c", 6 + key, item(key, "A", b)) for key, b in ((2, "p"), (3, "p"), (4, "q"))]
    counts = writer.write(records(spark, shared, first=10), 1)
    assert counts == {"items": TableCounts(consumed=3, log_rows=1, quarantined=2)}
    found = read_rows(Locations(unique, lake).table(unique.table("items")).quarantine)
    assert sorted(row["id"] for row in found) == [2, 3]
    assert notes == [(False, False), (True, False)]


def test_a_batch_that_is_refused_leaves_no_file(spark: SparkSession, tiny: UseCase, lake: Path, notes: Notes) -> None:
    table = tiny.table("items")
    log = Path(Locations(tiny, lake).table(table).log)
    writers = TableWriters(spark, tiny, Locations(tiny, lake), Failpoints(), make_noting(notes))
    first, more = records(spark, PLAIN), records(spark, [debezium("u", 9, item(1, "B"))], first=10)
    checked = writers.check(first, table, context(0), 2)
    writers.write(table, first, checked, DeadLetterCounts(), context(0))
    before = with_rows(log)
    with pytest.raises(StorageError, match="2 records of items were announced, 1 came"):
        writers.check_announced(more, table, context(1), 2)
    assert with_rows(log) == before
    assert notes == [(False, False), (True, True)]


class ConflictOnce(Failpoints):
    """Another writer's commit comes first, once."""

    came = False

    def reach(self, place: str) -> None:
        if place == "before log" and not self.came:
            self.came = True
            raise CommitFailedError("another writer was first")


def test_after_a_conflict_no_fewer_records_may_be_read(spark: SparkSession, tiny: UseCase, lake: Path) -> None:
    table, conflict = tiny.table("items"), ConflictOnce()
    writers = TableWriters(spark, tiny, Locations(tiny, lake), conflict, TableWriter)
    whole = records(spark, PLAIN)
    checked = writers.check(whole, table, context(0), 2)
    with pytest.raises(StorageError, match="2 records of items were announced, 1 came"):
        writers.write(table, whole.where("offset = 0"), checked, DeadLetterCounts(), context(0))
    assert conflict.came
    assert not Path(Locations(tiny, lake).table(table).log).exists()
    counts = writers.write(table, whole, writers.check(whole, table, context(0), 2), DeadLetterCounts(), context(0))
    assert counts == TableCounts(consumed=2, log_rows=2)


@pytest.mark.parametrize("place", ["before quarantine", "before log", "after log"])
def test_a_process_that_dies_in_a_staged_batch_leaves_nothing_to_mend(
    spark: SparkSession, tiny: UseCase, lake: Path, notes: Notes, new_process: Callable[..., LakeWriter], place: str
) -> None:
    failpoints = CrashAt("")
    dying = new_process(failpoints=failpoints)
    dying.write(records(spark, PLAIN), 0)
    failpoints.place = place
    with pytest.raises(Crash):
        dying.write(records(spark, MIXED, first=10), 1)
    assert notes == [(False, False), (True, True)]
    next_one = new_process()
    next_one.write(records(spark, MIXED, first=10), 1)
    next_one.write(records(spark, [debezium("c", 30, item(7, "Z"))], first=20), 2)
    found = {name: len(rows) for name, rows in everything(tiny, lake).items()}
    assert found == {"log": 2 + 5 + 1, "history": 5, "quarantine": 2, "dead letters": 1}
    assert verify_table(tiny, lake, tiny.table("items")).is_same
