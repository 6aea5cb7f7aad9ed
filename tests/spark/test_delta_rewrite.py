"""One commit that replaces rows: what it leaves alone, and that it never undoes or overlooks another's commit."""

from pathlib import Path

import pytest
from delta.exceptions import ConcurrentAppendException, ConcurrentDeleteReadException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.io import delta
from fluvial.io.delta_rewrite import Rewrite
from fluvial.streams import HistoryChanges

Rows = list[tuple[object, ...]]


@pytest.fixture
def path(spark: SparkSession, tmp_path: Path) -> str:
    """Two files, parted by `open`: rows 1 and 2 are open, 3 is closed; `theirs` is a column that no change tells."""
    place = str(tmp_path / "table")
    rows = [(1, "a", True, "x"), (2, "b", True, "y"), (3, "c", False, "z")]
    frame = spark.createDataFrame(rows, "id int, a string, open boolean, theirs string").coalesce(1)
    frame.write.format("delta").partitionBy("open").save(place)
    return place


def rows_of(spark: SparkSession, path: str) -> Rows:
    return sorted(tuple(row) for row in delta.read(spark, path).select("id", "a", "open", "theirs").collect())


def changes(spark: SparkSession, *rows: tuple[object, ...]) -> HistoryChanges:
    return HistoryChanges(spark.createDataFrame(list(rows), "id int, a string, open boolean, _action string"))


def begin_anew(spark: SparkSession, path: str) -> Rewrite:
    seen = delta.snapshot(spark, path)
    assert seen is not None
    return Rewrite(spark, path, seen)


def begin(spark: SparkSession, path: str) -> tuple[Rewrite, list[str]]:
    rewrite = begin_anew(spark, path)
    near = rewrite.read_near(F.col("open"))
    return rewrite, [row[0] for row in near.select("_file").distinct().collect()]


def test_files_that_are_known_from_the_commit_before_needn_t_be_looked_for(spark: SparkSession, path: str) -> None:
    rewrite, files = begin(spark, path)
    added = rewrite.commit(changes(spark, (1, "A", True, "UPDATE")), files, ("id",), "fluvial.note").added
    again = begin_anew(spark, path)
    near = again.read_files(added)
    assert sorted(row["a"] for row in near.collect()) == ["A", "b"]
    names = [row[0] for row in near.select("_file").distinct().collect()]
    again.commit(changes(spark, (2, None, None, "DELETE")), names, ("id",), "fluvial.note")
    assert rows_of(spark, path) == [(1, "A", True, "x"), (3, "c", False, "z")]


def test_it_knows_how_many_rows_it_reads(spark: SparkSession, path: str) -> None:
    rewrite, _ = begin(spark, path)
    assert [rewrite.reads_at_least(rows) for rows in (1, 2, 3)] == [True, True, False]


def test_rows_are_updated_deleted_and_inserted_and_what_no_change_tells_stays(spark: SparkSession, path: str) -> None:
    rewrite, files = begin(spark, path)
    wanted = changes(spark, (1, "A", False, "UPDATE"), (2, None, None, "DELETE"), (4, "d", True, "INSERT"))
    rewrite.commit(wanted, files, ("id",), "fluvial.note")
    assert rows_of(spark, path) == [(1, "A", False, "x"), (3, "c", False, "z"), (4, "d", True, None)]
    commit = delta.read_commit(spark, path, 1)
    assert commit is not None
    assert (commit.note, commit.rows, commit.changes_data) == ("fluvial.note", 2, True)
    assert len(files) == 1


def test_new_rows_alone_replace_no_file(spark: SparkSession, path: str) -> None:
    before = set(delta.read(spark, path).inputFiles())
    rewrite, _ = begin(spark, path)
    rewrite.commit(changes(spark, (4, "d", True, "INSERT")), [], ("id",), "fluvial.note")
    assert before < set(delta.read(spark, path).inputFiles())
    assert rows_of(spark, path)[-1] == (4, "d", True, None)


@pytest.mark.parametrize(
    ("theirs", "error"),
    [
        ("UPDATE delta.`{}` SET a = 'theirs' WHERE id = 1", ConcurrentAppendException),
        ("DELETE FROM delta.`{}` WHERE open", ConcurrentDeleteReadException),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_a_commit_in_between_wins(
    spark: SparkSession, path: str, theirs: str, error: type[Exception], is_known: bool
) -> None:
    rewrite, files = begin(spark, path)
    if is_known:
        near, rewrite = rewrite.files, begin_anew(spark, path)
        rewrite.read_files(near)
    spark.sql(theirs.format(path))
    left = rows_of(spark, path)
    with pytest.raises(error):
        rewrite.commit(changes(spark, (1, "A", False, "UPDATE")), files, ("id",), "fluvial.note")
    assert rows_of(spark, path) == left
