"""What stands in `seldom` is the value itself, and Spark writes no code for it."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.seldom import seldom


def test_it_is_the_value_with_its_type_and_its_nulls_whatever_is_named_beside_it(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, "a"), (2, None)], "n int, v string")
    shown = rows.select(
        seldom(F.col("n") + 1).alias("n"), seldom(F.upper("v")).alias("v"), seldom(F.struct("v", "n")).alias("both")
    )
    assert shown.dtypes == [("n", "int"), ("v", "string"), ("both", "struct<v:string,n:int>")]
    assert [tuple(row) for row in shown.collect()] == [(2, "A", ("a", 1)), (3, None, (None, 2))]


def test_it_is_given_to_a_lambda_for_which_spark_has_no_code(spark: SparkSession) -> None:
    plan = spark.range(1).select(seldom(F.hex("id")))._jdf.queryExecution().sparkPlan()
    fallback = spark._jvm.java.lang.Class.forName(
        "org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback",
        False,
        spark._jvm.java.lang.Thread.currentThread().getContextClassLoader(),
    )
    transform = plan.projectList().head().child().child()
    assert fallback.isInstance(transform)
    assert "transform(array(hex(id" in transform.toString()
