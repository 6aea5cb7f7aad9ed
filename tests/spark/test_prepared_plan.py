"""Steps that are planned once give over any rows what they would give if they were planned for them."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.io.prepared_plan import PreparedPlan

A, B = "k int, v string", "v string, extra int, k int"


def longest(rows: DataFrame) -> DataFrame:
    """A self-join over an aggregate: the rows stand twice in its plan."""
    most = rows.groupBy("k").agg(F.max(F.length("v")).alias("most"))
    return rows.join(most, "k").where(F.length("v") == F.col("most"))


def as_rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.select("k", "v").collect())


def test_each_batch_s_rows_take_the_place_of_the_rows_before(spark: SparkSession) -> None:
    plan = PreparedPlan(spark, longest)
    first = plan.over(spark.createDataFrame([(1, "a"), (1, "abc"), (2, "b")], A))
    second = plan.over(spark.createDataFrame([(1, "abcd"), (3, None)], A).where("v is not null"))
    assert as_rows(second) == [(1, "abcd")]
    assert as_rows(first) == [(1, "abc"), (2, "b")]
    assert as_rows(first.unionByName(second)) == [(1, "abc"), (1, "abcd"), (2, "b")]


def test_rows_with_other_columns_are_planned_anew(spark: SparkSession) -> None:
    plan = PreparedPlan(spark, longest)
    assert as_rows(plan.over(spark.createDataFrame([(1, "a")], A))) == [(1, "a")]
    other = plan.over(spark.createDataFrame([("bb", 7, 2), ("b", 8, 2)], B))
    assert as_rows(other) == [(2, "bb")]
    assert other.columns == ["k", "v", "extra", "most"]
    assert as_rows(plan.over(spark.createDataFrame([(1, "c")], A))) == [(1, "c")]


def test_what_was_planned_over_nothing_keeps_types_and_nulls(spark: SparkSession) -> None:
    plan = PreparedPlan(spark, lambda rows: rows.select("k", F.coalesce("v", F.lit("none")).alias("v")))
    frame = plan.over(spark.createDataFrame([(1, None)], A).withColumn("k", F.lit(5)))
    assert as_rows(frame) == [(5, "none")]
    assert frame.dtypes == [("k", "int"), ("v", "string")]
