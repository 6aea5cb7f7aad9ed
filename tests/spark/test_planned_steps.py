"""Steps over several frames that are planned once give over any rows what they would give if planned for them."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.io.observed import Aggregates, observe
from fluvial.io.planned_steps import PlannedSteps

A, B = "k int, v string, n int", "v string, extra int, k int, n int"


def longest(rows: DataFrame, others: DataFrame) -> DataFrame:
    """The rows stand twice in the plan, and meet themselves."""
    most = rows.groupBy("k").agg(F.max(F.length("v")).alias("most"))
    joined = rows.join(F.broadcast(most), "k").where(F.length("v") == F.col("most"))
    return joined.select("k", "v").unionByName(others.select("k", "v"))


def as_rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.select("k", "v").collect())


def test_each_call_s_rows_take_the_place_of_the_rows_before(spark: SparkSession) -> None:
    steps, frame = PlannedSteps(spark, longest), spark.createDataFrame
    first = steps.over(frame([(1, "a", 0), (1, "abc", 0), (2, "b", 0)], A), frame([(7, "x", 0)], A))
    second = steps.over(frame([(1, "abcd", 0), (3, None, 0)], A).where("v is not null"), frame([], A))
    assert as_rows(second) == [(1, "abcd")]
    assert as_rows(first) == [(1, "abc"), (2, "b"), (7, "x")]


def test_one_frame_may_stand_for_both(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, "a", 0), (1, "abc", 0)], A)
    assert as_rows(PlannedSteps(spark, longest).over(rows, rows)) == [(1, "a"), (1, "abc"), (1, "abc")]


def test_a_frame_of_which_two_branches_read_different_columns_gives_both(spark: SparkSession) -> None:
    numbers = F.col("n").cast("string").alias("v")
    steps = PlannedSteps(spark, lambda rows: rows.select("k", "v").union(rows.where("n > 1").select("k", numbers)))
    rows = spark.createDataFrame([(1, "a", 1), (2, "b", 2)], A)
    assert as_rows(steps.over(rows)) == [(1, "a"), (2, "2"), (2, "b")]


def test_columns_that_nothing_reads_are_not_read_from_files(spark: SparkSession, tmp_path: Path) -> None:
    spark.createDataFrame([(1, "a", 0), (1, "abc", 0)], A).write.parquet(str(tmp_path / "rows"))
    rows = spark.read.parquet(str(tmp_path / "rows"))
    frame = PlannedSteps(spark, longest).over(rows, rows.limit(0))
    scans = [node for node in frame._jdf.queryExecution().executedPlan().toString().split("\n") if "Scan" in node]
    assert scans
    assert all("n#" not in scan for scan in scans)
    assert as_rows(frame) == [(1, "abc")]


def test_rows_that_are_handed_on_as_they_are_keep_every_column(spark: SparkSession) -> None:
    steps = PlannedSteps(spark, lambda left, right: left.where("k > 0").join(right, "k", "full_outer"))
    frame = steps.over(
        spark.createDataFrame([(1, "a", 3), (0, "b", 4)], A), spark.createDataFrame([(1, 9), (2, 8)], "k int, m int")
    )
    assert sorted(map(tuple, frame.collect())) == [(1, "a", 3, 9), (2, None, None, 8)]


def test_rows_with_other_columns_are_planned_anew(spark: SparkSession) -> None:
    steps = PlannedSteps(spark, longest)
    none = spark.createDataFrame([], A)
    assert as_rows(steps.over(spark.createDataFrame([(1, "a", 0)], A), none)) == [(1, "a")]
    assert as_rows(steps.over(spark.createDataFrame([("bb", 7, 2, 0), ("b", 8, 2, 0)], B), none)) == [(2, "bb")]
    assert as_rows(steps.over(spark.createDataFrame([(1, "c", 0)], A), none)) == [(1, "c")]


def test_what_was_planned_is_counted_and_ordered_like_any_frame(spark: SparkSession) -> None:
    steps = PlannedSteps(spark, lambda rows: rows.where("v is not null").coalesce(1).sortWithinPartitions("v"))
    frame = steps.over(spark.createDataFrame([(1, "c", 0), (2, None, 0), (3, "a", 0), (4, "b", 0)], A))
    observed = observe(frame, Aggregates([F.count(F.lit(1)).alias("rows"), F.max("k").alias("most")]))
    assert [row["v"] for row in observed.rows.localCheckpoint().collect()] == ["a", "b", "c"]
    assert observed.values == {"rows": 3, "most": 4}


def test_a_session_that_adapts_its_plans_makes_its_own(spark: SparkSession) -> None:
    session = spark.newSession()
    session.conf.set("spark.sql.adaptive.enabled", "true")
    rows = session.createDataFrame([(1, "a", 0), (1, "abc", 0)], A)
    frame = PlannedSteps(session, longest).over(rows, rows)
    assert as_rows(frame) == [(1, "a"), (1, "abc"), (1, "abc")]
    assert "AdaptiveSparkPlan" in frame._jdf.queryExecution().executedPlan().toString()
