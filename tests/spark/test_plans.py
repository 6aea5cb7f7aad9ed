"""What a micro-batch may cost, counted and not timed: Spark jobs, and how often the JSON is parsed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import DeequCheck, Table, UseCase
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.delta import hold
from fluvial.io.session import SMALL_BATCH, setting, suit_batch_size
from fluvial.io.table_chain import TableChain
from fluvial.io.table_writer import TableWriter
from fluvial.metrics.accounting import summary_columns
from fluvial.micro_batch import check_records, place_log
from fluvial.quality.split import carry_batch
from fluvial.streams import IMAGE, RAW_VALUE, BatchContext, FreshEvents, Records
from tests.benchmarks.cost import Meter
from tests.spark.code_room import compiled
from tests.spark.records import TINY, debezium, dms, records
from tests.spark.settled_by_spark import SettledBySpark

BAD_PRICE = "-1.00"
EVENTS = 10
"""In each batch."""


class Bench:
    """A table's writer, and how many jobs each of its steps starts."""

    def __init__(
        self, spark: SparkSession, table: Table, locations: Locations, maker: type[TableWriter] = TableWriter
    ) -> None:
        self.meter = Meter(spark)
        self.writer = maker(spark, table, locations.table(table))

    def jobs(self, step: Callable[[], object]) -> list[str]:
        """What each job says of itself; they are the whole driver's: nothing else runs beside a test."""
        before = self.meter.jobs_so_far()
        step()
        return list(self.meter.call_sites(before))

    def classes_so_far(self) -> int:
        """Which Spark has generated and compiled in this driver."""
        return compiled(self.writer.session)

    def check(self, frame: DataFrame, batch: int) -> CheckedBatch:
        return self.writer.check(Records(frame), context(batch), EVENTS)

    def take_up(self, frame: DataFrame, batch: int) -> None:
        """Everything but the settle step."""
        checked = self.check(frame, batch)
        self.writer._append(checked, context(batch))
        checked.release()

    def write(self, frame: DataFrame, batch: int) -> None:
        """Everything."""
        checked = self.check(frame, batch)
        self.writer.write(checked, DeadLetterCounts(), context(batch))
        checked.release()


def context(batch: int) -> BatchContext:
    return BatchContext("query-1", batch, datetime(2026, 1, 2, tzinfo=UTC))


def item(key: int, price: str = "1.00") -> dict[str, object]:
    return {"id": key, "a": "A", "b": "B", "price": price, "seen_at": "2026-01-01T00:00:00Z"}


def inserts(spark: SparkSession, first: int, price: str = "1.00") -> DataFrame:
    """Ten new rows; `price` is that of the last."""
    rows = [debezium("c", number, item(number)) for number in range(first, first + 9)]
    return records(spark, [*rows, debezium("c", first + 9, item(first + 9, price))], first=first)


def updates(spark: SparkSession, first: int, lsn: int) -> DataFrame:
    """Ten updates of rows that are there."""
    rows = [debezium("u", lsn + number, item(first + number, "2.00")) for number in range(10)]
    return records(spark, rows, first=lsn)


@pytest.fixture
def bench(spark: SparkSession, tiny: UseCase, lake: Path) -> Bench:
    """The items table, behind its first batches, when every table exists."""
    return begun(spark, Bench(spark, tiny.table("items"), Locations(tiny, lake)))


@pytest.fixture
def by_spark(spark: SparkSession, tiny: UseCase, lake: Path) -> Bench:
    """The same, whose every settle is Spark's."""
    return begun(spark, Bench(spark, tiny.table("items"), Locations(tiny, lake), SettledBySpark))


def begun(spark: SparkSession, bench: Bench) -> Bench:
    bench.write(inserts(spark, 1, BAD_PRICE), 0)
    return bench


def test_a_batch_of_new_events_is_taken_up_in_one_job(spark: SparkSession, bench: Bench) -> None:
    frame = inserts(spark, 101)
    assert len(bench.jobs(lambda: bench.take_up(frame, 1))) == 1


def test_a_new_process_takes_its_first_batch_up_in_two_jobs(spark: SparkSession, bench: Bench) -> None:
    again = TableWriter(spark, bench.writer.table, bench.writer.locations)
    again.check(Records(inserts(spark, 1, BAD_PRICE)), context(0), EVENTS).release()  # it asks for the log's highest
    bench.writer, frame = again, inserts(spark, 101)
    assert len(bench.jobs(lambda: bench.take_up(frame, 1))) == 2


def test_events_below_the_log_s_highest_cost_no_job_more_where_they_are_new(spark: SparkSession, bench: Bench) -> None:
    bench.take_up(inserts(spark, 301), 1)
    late = inserts(spark, 101)
    assert len(bench.jobs(lambda: bench.take_up(late, 2))) == 1
    again = bench.check(late, 3)
    assert (again.counts.fresh, again.counts.known) == (0, EVENTS)


def test_broken_rows_cost_one_job_more(spark: SparkSession, bench: Bench) -> None:
    jobs = []
    for batch in (1, 2):
        bad = inserts(spark, 100 * batch, BAD_PRICE)
        jobs.append(len(bench.jobs(lambda bad=bad, batch=batch: bench.take_up(bad, batch))))
    assert jobs == [2, 2]


def test_generated_code_serves_every_large_batch(spark: SparkSession, tiny: UseCase, lake: Path) -> None:
    session = spark.newSession()
    suit_batch_size(session, SMALL_BATCH, fuses=False)
    rules = [{"id": name, "type": "not_null", "column": name} for name in ("b", "price", "seen_at")]
    # Rules that no other test has had compiled.
    of_its_own = Table.model_validate(TINY["tables"][0] | {"dq_rules": rules})
    bench = Bench(session, of_its_own, Locations(tiny, lake))
    classes = []
    for batch in range(5):
        bench.take_up(inserts(session, 1 + 100 * batch), batch)
        classes.append(bench.classes_so_far())
    assert classes[1] > classes[0]  # the first batch is held, the second staged
    assert classes[4] == classes[2]


def test_a_settle_that_only_adds_versions_takes_three_jobs_by_spark(spark: SparkSession, by_spark: Bench) -> None:
    assert settle_after_another_s_commit(spark, by_spark, optimizes=False) == 3


def test_after_another_s_commit_a_settle_looks_for_its_files_in_one_job_more(
    spark: SparkSession, by_spark: Bench
) -> None:
    assert settle_after_another_s_commit(spark, by_spark, optimizes=True) == 4


def test_updates_are_settled_by_spark_in_four_jobs_late_ones_too(spark: SparkSession, by_spark: Bench) -> None:
    assert settle_updates(spark, by_spark) == [4, 4, 4]


def test_few_rows_are_settled_without_a_job_late_ones_too(spark: SparkSession, bench: Bench) -> None:
    assert settle_updates(spark, bench) == [0, 0, 0]


@pytest.mark.parametrize(("optimizes", "jobs"), [(False, 0), (True, 1)])
def test_a_settle_on_the_driver_starts_one_job_where_it_doesn_t_know_the_files(
    spark: SparkSession, bench: Bench, optimizes: bool, jobs: int
) -> None:
    assert settle_after_another_s_commit(spark, bench, optimizes=optimizes) == jobs


def settle_after_another_s_commit(spark: SparkSession, bench: Bench, *, optimizes: bool) -> int:
    """The jobs of a settle that only adds versions, where somebody has compacted the history before or not."""
    bench.write(inserts(spark, 51), 1)
    bench.take_up(inserts(spark, 81), 2)
    bench.writer.history.settle()
    if optimizes:
        spark.sql(f"OPTIMIZE delta.`{bench.writer.locations.history}`")
    bench.take_up(inserts(spark, 101), 3)
    return len(bench.jobs(bench.writer.history.settle))


def settle_updates(spark: SparkSession, bench: Bench) -> list[int]:
    """The jobs of three settles, the last one of a late event."""
    bench.write(inserts(spark, 101), 1)
    jobs = []
    for batch, lsn in ((2, 301), (3, 401), (4, 351)):
        bench.take_up(updates(spark, 101, lsn), batch)
        jobs.append(len(bench.jobs(bench.writer.history.settle)))
    return jobs


def test_metrics_start_no_job(spark: SparkSession, tiny: UseCase, lake: Path) -> None:
    items = tiny.table("items")
    checks = (
        DeequCheck(metric="size", threshold=1),
        DeequCheck(metric="completeness", column="a", threshold=1),
        DeequCheck(metric="uniqueness", column="b", threshold=1),
        DeequCheck(metric="compliance", column="price", threshold=1),
    )
    jobs = []
    for name, checks_of_table in (("none", ()), ("all", checks)):
        table = items.model_copy(update={"deequ_checks": checks_of_table})
        bench = Bench(spark, table, Locations(tiny, lake / name))
        bench.take_up(inserts(spark, 1), 0)
        jobs.append(bench.jobs(lambda bench=bench: bench.take_up(inserts(spark, 101), 1)))
    assert len(jobs[0]) == len(jobs[1])


@pytest.mark.parametrize("table", ["items", "people"])
@pytest.mark.parametrize("envelope", [debezium, dms])
def test_json_is_parsed_once_for_each_record(
    spark: SparkSession, tiny: UseCase, table: str, envelope: Callable[..., str]
) -> None:
    rows = Records(records(spark, [envelope("c" if envelope is debezium else "insert", 5, item(1))]))
    held = check_records(rows, tiny.table(table))._jdf.queryExecution().optimizedPlan().toString()
    chain = TableChain(spark, tiny.table(table))
    with setting(spark, "spark.sql.debug.maxToStringFields", "1000"):
        staged = [make(summary_columns()).explain(rows) for make in (chain.log_pass, chain.quarantine_pass)]
    assert [plan.count("from_json") for plan in (held, *staged)] == [1, 1, 1]


def test_a_record_s_bytes_and_its_row_are_copied_no_further_than_they_are_needed(
    spark: SparkSession, tiny: UseCase
) -> None:
    chain = TableChain(spark, tiny.table("items"))
    with setting(spark, "spark.sql.debug.maxToStringFields", "1000"):
        plan = chain.log_pass(summary_columns()).explain(inserts(spark, 1))
    levels = [line for line in plan.splitlines() if "Project [" in line]
    assert [sum(bool(re.search(rf"\b{name}#", level)) for level in levels) for name in (RAW_VALUE, IMAGE)] == [0, 2]
    assert len(levels) == 6


def test_bytes_that_dms_writes_otherwise_are_rewritten_once_for_all_columns(spark: SparkSession, tiny: UseCase) -> None:
    columns = [{"name": "id", "type": "int", "nullable": False}, *({"name": name, "type": "binary"} for name in "abc")]
    table = Table.model_validate({"name": "files", "topic": "cdc-files", "primary_key": ["id"], "columns": columns})
    checked = check_records(Records(records(spark, [dms("insert", 5, {"id": 1})])), table)
    plan = checked._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("transform_values") == 2  # the row, and the one before


def test_a_plan_grows_with_its_transforms_and_not_by_their_power(spark: SparkSession, tiny: UseCase) -> None:
    def casts(times: int) -> Table:
        transforms = [
            {"type": "cast", "column": "price", "params": {"to_type": to_type}}
            for to_type in ("int", "decimal(9,2)") * times
        ]
        return Table.model_validate(tiny.table("items").model_dump(by_alias=True) | {"transforms": transforms})

    def size(table: Table) -> int:
        """How often the plan of the log's rows, and that of the verdicts, casts anything."""
        checked = check_records(Records(inserts(spark, 1)), table)
        fresh = FreshEvents(hold(checked).where("_kind = 'event'"))
        plans = (checked, place_log(carry_batch(fresh, context(1)), table))
        return sum(plan._jdf.queryExecution().optimizedPlan().toString().count("cast(") for plan in plans)

    with setting(spark, "spark.sql.debug.maxToStringFields", "1000"):
        four, eight = size(casts(2)), size(casts(4))
    assert eight < 2 * four
