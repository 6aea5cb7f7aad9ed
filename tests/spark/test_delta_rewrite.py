"""One commit that replaces rows: how they lie, what it leaves alone, that it never overlooks another's commit."""

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import pytest
from delta.exceptions import ConcurrentAppendException, ConcurrentDeleteReadException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.io import delta
from fluvial.io.delta_rewrite import FoundChanges, Rewrite
from fluvial.io.near_files import by_name
from fluvial.io.rewritten_rows import RewrittenRows
from fluvial.streams import HistoryChanges

Rows = list[tuple[object, ...]]
TABLE = Table.model_validate({"name": "t", "primary_key": "id", "schema": [{"name": "id", "type": "int"}]})
SCHEMA = "id int, a string, _is_current boolean, _end_sequence string, _sequence string"


@pytest.fixture
def path(spark: SparkSession, tmp_path: Path) -> str:
    """Two files: versions 1 and 2 are current, 3 is closed; `theirs` is a column that no change tells."""
    place = str(tmp_path / "table")
    rows = [(1, "a", True, None, "1", "x"), (2, "b", True, None, "2", "y"), (3, "c", False, "9", "3", "z")]
    frame = spark.createDataFrame(rows, f"{SCHEMA}, theirs string").coalesce(1)
    frame.write.format("delta").partitionBy("_is_current").save(place)
    return place


def rows_of(spark: SparkSession, path: str) -> Rows:
    return sorted(tuple(row) for row in delta.read(spark, path).select("id", "a", "_is_current", "theirs").collect())


def found(spark: SparkSession, files: Collection[str], *rows: tuple[object, ...]) -> FoundChanges:
    told = [(*row[:3], None if row[2] else "5", str(row[0]), row[3]) for row in rows]
    return FoundChanges(HistoryChanges(spark.createDataFrame(told, f"{SCHEMA}, _action string")), len(rows), files)


def begin_anew(spark: SparkSession, path: str) -> Rewrite:
    seen = delta.snapshot(spark, path)
    assert seen is not None
    return Rewrite(spark, path, seen)


def begin(spark: SparkSession, path: str) -> tuple[Rewrite, list[str]]:
    rewrite = begin_anew(spark, path)
    near = read_near(rewrite, "current")
    return rewrite, [row[0] for row in near.select("_file").distinct().collect()]


def test_files_that_are_known_from_the_commit_before_needn_t_be_looked_for(spark: SparkSession, path: str) -> None:
    rewrite, files = begin(spark, path)
    added = rewrite.commit(
        found(spark, files, (1, "A", True, "UPDATE")), RewrittenRows(spark, ("id",)), "fluvial.note"
    ).added
    again = begin_anew(spark, path)
    near = again.rows_of(again.take(added))
    assert sorted(row["a"] for row in near.collect()) == ["A", "b"]
    names = [row[0] for row in near.select("_file").distinct().collect()]
    again.commit(found(spark, names, (2, None, None, "DELETE")), RewrittenRows(spark, ("id",)), "fluvial.note")
    assert rows_of(spark, path) == [(1, "A", True, "x"), (3, "c", False, "z")]


def test_it_knows_how_many_rows_it_reads(spark: SparkSession, path: str) -> None:
    rewrite, _ = begin(spark, path)
    assert [rewrite.reads_at_least(rows) for rows in (1, 2, 3)] == [True, True, False]


def test_rows_are_updated_deleted_and_inserted_and_what_no_change_tells_stays(spark: SparkSession, path: str) -> None:
    rewrite, files = begin(spark, path)
    wanted = found(spark, files, (1, "A", False, "UPDATE"), (2, None, None, "DELETE"), (4, "d", True, "INSERT"))
    rewrite.commit(wanted, RewrittenRows(spark, ("id",)), "fluvial.note")
    assert rows_of(spark, path) == [(1, "A", False, "x"), (3, "c", False, "z"), (4, "d", True, None)]
    commit = delta.read_commit(spark, path, 1)
    assert commit is not None
    assert (commit.note, commit.rows, commit.changes_data) == ("fluvial.note", 2, True)
    assert len(files) == 1


def test_new_rows_alone_replace_no_file(spark: SparkSession, path: str) -> None:
    before = set(delta.read(spark, path).inputFiles())
    rewrite, _ = begin(spark, path)
    rewrite.commit(found(spark, [], (4, "d", True, "INSERT")), RewrittenRows(spark, ("id",)), "fluvial.note")
    assert before < set(delta.read(spark, path).inputFiles())
    assert rows_of(spark, path)[-1] == (4, "d", True, None)


def test_what_is_written_lies_in_order_so_that_a_late_change_leaves_the_rest_alone(
    spark: SparkSession, path: str
) -> None:
    rewrite = begin_anew(spark, path)
    rewrite.commit(closed_versions(spark, range(10, 30_010)), RewrittenRows(spark, ("id",)), "fluvial.note")
    rewrite = begin_anew(spark, path)
    near = closed(read_near(rewrite, "00015"))
    assert [near.count(), len(ends_by_file(near))] == [30_001, 4]
    some = ends_by_file(near)
    rewrite.commit(
        found(spark, list(some), (3, None, None, "DELETE")), RewrittenRows(spark, ("id", "_sequence")), "fluvial.note"
    )
    ends = sorted(ends_by_file(closed(read_near(begin_anew(spark, path), "0"))).values())
    assert [rows for _, _, rows in ends] == [10_000, 10_000, 10_000]
    assert all(one[1] < other[0] for one, other in pairwise(ends))
    assert [len(ends_by_file(closed(read_near(begin_anew(spark, path), end)))) for end in ("25000", "40000")] == [1, 0]


def test_files_that_were_looked_for_are_known_by_how_far_they_reach(spark: SparkSession, path: str) -> None:
    rewrite = begin_anew(spark, path)
    rewrite.near_files("9")
    assert sorted(near.last or "open" for near in by_name(rewrite.files, TABLE).values()) == ["9", "open"]


def test_many_changes_come_to_the_same_and_aren_t_sent_to_each_task(spark: SparkSession, path: str) -> None:
    old, rewritten = delta.read(spark, path), RewrittenRows(spark, ("id",))
    rows = ((1, "A", False, "UPDATE"), (2, None, None, "DELETE"), (4, "d", True, "INSERT"))
    changes = found(spark, [], *rows).changes
    few, many = (rewritten.of(old, changes, may_change=True, are_many=are_many) for are_many in (False, True))
    assert sorted(map(tuple, few.collect())) == sorted(map(tuple, many.collect()))
    plans = [str(frame._jdf.queryExecution().executedPlan().toString()) for frame in (few, many)]
    assert ["Broadcast" in plan for plan in plans] == [True, False]


def closed_versions(spark: SparkSession, numbers: range) -> FoundChanges:
    """Insertions in no order."""
    ends = spark.range(numbers.start, numbers.stop, 1, 1).orderBy(F.xxhash64("id")).coalesce(1)
    texts = (F.lpad(F.col("id").cast("string"), 5, "0").alias(name) for name in ("_end_sequence", "_sequence"))
    rows = ends.select(F.col("id").cast("int"), F.lit("c").alias("a"), F.lit(False).alias("_is_current"), *texts)
    return FoundChanges(HistoryChanges(rows.withColumn("_action", F.lit("INSERT"))), len(numbers), [])


def read_near(rewrite: Rewrite, sequence: str) -> DataFrame:
    return rewrite.rows_of(rewrite.near_files(sequence))


def closed(near: DataFrame) -> DataFrame:
    return near.where(~F.col("_is_current"))


def ends_by_file(near: DataFrame) -> dict[str, tuple[str, str, int]]:
    """Of each file the lowest and the highest end, and its rows."""
    ends = (F.min("_end_sequence"), F.max("_end_sequence"), F.count("*"))
    return {name: (low, high, rows) for name, low, high, rows in near.groupBy("_file").agg(*ends).collect()}


@pytest.mark.parametrize(
    ("theirs", "error"),
    [
        ("UPDATE delta.`{}` SET a = 'theirs' WHERE id = 1", ConcurrentAppendException),
        ("DELETE FROM delta.`{}` WHERE _is_current", ConcurrentDeleteReadException),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_a_commit_in_between_wins(
    spark: SparkSession, path: str, theirs: str, error: type[Exception], is_known: bool
) -> None:
    rewrite, files = begin(spark, path)
    if is_known:
        near, rewrite = rewrite.files, begin_anew(spark, path)
        rewrite.take(near)
    spark.sql(theirs.format(path))
    left = rows_of(spark, path)
    with pytest.raises(error):
        rewrite.commit(found(spark, files, (1, "A", False, "UPDATE")), RewrittenRows(spark, ("id",)), "fluvial.note")
    assert rows_of(spark, path) == left
