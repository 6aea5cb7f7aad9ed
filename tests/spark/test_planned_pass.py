"""A pass that is planned once gives for any batch what its steps would give, and counts that batch alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.io.planned_pass import PlannedPass, counted
from fluvial.io.session import setting
from fluvial.quality.split import carry_batch
from fluvial.streams import BatchContext, FreshEvents

SCHEMA = f"{c.PARTITION} int, v string"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def batch(number: int) -> BatchContext:
    return BatchContext(f"it's query \\{number}", number, NOON.replace(minute=number))


def steps(records: DataFrame, context: BatchContext) -> DataFrame:
    """A column that is handed on, one that is made, rows left out, and what the batch is."""
    made = counted(records.withColumn("made", F.upper("v")), [F.count("*").alias("all"), F.max("v").alias("last")])
    return carry_batch(FreshEvents(made.where("made <> 'NO'")), context).drop(c.PARTITION)


def carried(number: int) -> tuple[str, int, datetime]:
    return f"it's query \\{number}", number, NOON.replace(minute=number, tzinfo=None)


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> PlannedPass:
    return PlannedPass(spark, steps)


@pytest.fixture
def frame(spark: SparkSession) -> Callable[..., DataFrame]:
    def make(*values: str, schema: str = SCHEMA) -> DataFrame:
        return spark.createDataFrame([(number, value) for number, value in enumerate(values)], schema).repartition(2)

    return make


def as_rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_each_batch_has_its_rows_its_counts_and_its_own_name(
    made: PlannedPass, frame: Callable[..., DataFrame]
) -> None:
    for number, values in enumerate((("a", "no", "b"), ("c",), (), ("no", "d"))):
        passed = made.over(frame(*values).where("v <> 'z'"), batch(number))
        assert as_rows(passed.rows) == [(v, v.upper(), *carried(number)) for v in sorted(values) if v != "no"]
        assert passed.values == {"all": len(values), "last": max(values, default=None)}


def test_a_batch_is_what_its_steps_make_of_it(made: PlannedPass, frame: Callable[..., DataFrame]) -> None:
    for records in (frame("a", "no", "b"), frame("a", "b").persist(), frame("a").limit(1)):
        planned, expected = made.over(records, batch(7)).rows, steps(records, batch(7))
        assert as_rows(planned) == as_rows(expected)
        assert planned.dtypes == expected.dtypes


def test_few_records_go_through_few_tasks(made: PlannedPass, frame: Callable[..., DataFrame]) -> None:
    records = frame("a", "b", "no")
    for expected, tasks in ((None, 2), (0, 1), (20_000, 1), (20_001, 2), (100_000, 2)):
        passed = made.over(records, batch(1), expected)
        assert passed.rows.rdd.getNumPartitions() == tasks
        assert len(as_rows(passed.rows)) == 2
        assert passed.values["all"] == 3


def test_parts_of_a_source_are_put_together_before_the_first_level(
    made: PlannedPass, frame: Callable[..., DataFrame]
) -> None:
    """For each part that it reads a task would generate the code of each level anew."""
    passed = made.over(frame("a", "b"), batch(1), 2)
    lineage = passed.rows._jdf.queryExecution().toRdd().toDebugString()
    levels, _, source = lineage.partition("CoalescedRDD")
    assert levels.count("MapPartitionsRDD") >= 3
    assert "+-(2)" in source


def test_settings_that_wrap_steps_and_keys_beside_the_events_change_nothing(
    frame: Callable[..., DataFrame], spark: SparkSession
) -> None:
    def with_key(records: DataFrame, context: BatchContext) -> DataFrame:
        return steps(records, context).crossJoin(F.broadcast(spark.range(1)))

    plan = PlannedPass(spark, with_key)
    with setting(spark, "spark.sql.adaptive.enabled", "true"), setting(spark, "spark.sql.codegen.wholeStage", "true"):
        for number, value in enumerate("ab"):
            passed = plan.over(frame("z", value).where("v <> 'z'"), batch(number))
            assert as_rows(passed.rows) == [(value, value.upper(), *carried(number), 0)]
            assert passed.values == {"all": 1, "last": value}


def test_records_with_other_columns_are_planned_anew(spark: SparkSession) -> None:
    plan = PlannedPass(spark, lambda records, _: counted(records, [F.count("*").alias("all")]))
    for schema in ("a int, b string", "b string, a int, more int", "a int, b string"):
        rows = spark.createDataFrame([], schema)
        assert plan.over(rows, batch(1)).rows.dtypes == rows.dtypes


def test_a_thread_that_has_run_nothing_yet_can_plan_and_fill_it(
    frame: Callable[..., DataFrame], spark: SparkSession
) -> None:
    plan, records = PlannedPass(spark, steps), frame("a")
    with ThreadPoolExecutor(1) as pool:
        rows = [pool.submit(lambda: as_rows(plan.over(records, batch(2)).rows)).result() for _ in range(2)]
    assert rows == [[("a", "A", *carried(2))]] * 2


def test_a_step_that_looks_at_the_clock_sees_each_batchs_time(
    frame: Callable[..., DataFrame], spark: SparkSession
) -> None:
    def look(records: DataFrame, context: BatchContext) -> DataFrame:
        return steps(records, context).select(F.current_timestamp().alias("now"))

    plan = PlannedPass(spark, look)
    first, second = (plan.over(frame("a"), batch(number)).rows.collect()[0].now for number in (1, 2))
    assert first < second
