"""When a table is settled, and that nothing is done while no settle is due."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.failpoints import Failpoints
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.live_view import read_live_state
from fluvial.io.query import open_lake
from fluvial.io.settling import SettleReport, settle_tables
from fluvial.io.verify import verify_table
from tests.spark.records import TINY, debezium, records


def use_case_with(**policy: Any) -> UseCase:
    return UseCase.model_validate(TINY | {"settings": {**TINY["settings"], "settle": policy}})


def items(first: int, count: int) -> list[str]:
    rows = ({"id": key, "a": "A", "b": "b", "price": "1.00", "seen_at": None} for key in range(first, first + count))
    return [debezium("c", row["id"], row) for row in rows]  # type: ignore[call-overload]


def count(use_case: UseCase, lake: Path, view: str) -> int:
    sql = f"SELECT count(*) FROM {view}"
    return int(open_lake(use_case, lake, sql).execute(sql).fetchall()[0][0])


def test_rows_gather_in_the_log_until_enough_wait_and_a_restart_still_knows_how_many(
    spark: SparkSession, lake: Path
) -> None:
    use_case = use_case_with(policy="rows", rows=6)
    seen = []
    for batch, start in enumerate((1, 3, 5, 7)):
        writer = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1")
        writer.write(records(spark, items(start, 2), first=start), batch)
        seen.append((count(use_case, lake, "items"), count(use_case, lake, "items__live")))
    verdict = verify_table(use_case, lake, use_case.table("items"))
    assert seen == [(0, 2), (0, 4), (6, 6), (6, 8)]
    assert (verdict.differences, verdict.versions, verdict.unsettled_log_versions) == ((), 6, 1)


class Compaction(Failpoints):
    """Somebody compacts the log right before a batch is published."""

    log: str = ""

    def reach(self, place: str) -> None:
        if place == "before log" and self.log:
            DeltaTable(self.log).optimize.compact()


def test_one_process_counts_what_waits_by_its_own_commits_and_looks_again_where_another_came_between(
    spark: SparkSession, lake: Path
) -> None:
    use_case, between, settled = use_case_with(policy="rows", rows=6), Compaction(), []
    locations = Locations(use_case, lake)
    log = locations.table(use_case.table("items")).log
    writer = LakeWriter(spark, use_case, locations, "query-1", failpoints=between)
    for batch, start in enumerate((1, 3, 5, 7, 9)):
        between.log = log if batch == 2 else ""
        writer.write(records(spark, items(start, 2), first=start), batch)
        watch = writer._writers["items"].history.watch
        settled.append((count(use_case, lake, "items"), watch.waiting.versions, watch.waiting.rows))
    assert settled == [(0, 1, 2), (0, 2, 4), (6, 0, 0), (6, 1, 2), (6, 2, 4)]
    operations = [commit["operation"] for commit in DeltaTable(log).history()]
    assert operations == ["WRITE", "WRITE", "WRITE", "OPTIMIZE", "WRITE", "WRITE"]


def test_an_idle_table_is_settled_when_its_oldest_row_is_old_enough_and_until_then_no_spark_job_runs(
    spark: SparkSession, lake: Path
) -> None:
    use_case = use_case_with(policy="bytes", bytes="1GB", max_age="10 minutes")
    writer = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1")
    writer.write(records(spark, items(1, 2)), 0)
    writer.write(records(spark, items(3, 2), first=10), 1)
    table, now = writer._writers["items"], datetime.now(UTC)
    spark.sparkContext.setJobGroup("not due", "")
    early = [table.settle_due(now), table.history.look_again(), table.settle_due(now + timedelta(minutes=9))]
    jobs = spark.sparkContext.statusTracker().getJobIdsForGroup("not due")
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    assert (early, list(jobs), count(use_case, lake, "items")) == ([0, None, 0], [], 0)
    assert table.settle_due(now + timedelta(minutes=11)) == 4
    assert count(use_case, lake, "items") == 4
    assert table.settle_due(now + timedelta(minutes=30)) == 0


def test_events_that_change_no_version_are_settled_all_the_same(spark: SparkSession, lake: Path) -> None:
    use_case = use_case_with(policy="each_batch")
    again = debezium("d", 9, {"id": 7, "a": "A", "b": "b", "price": "1.00", "seen_at": None})
    for batch, events in enumerate((items(1, 2), [again])):
        writer = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1")
        writer.write(records(spark, events, first=batch * 10), batch)
    places = Locations(use_case, lake).table(use_case.table("items"))
    state = read_live_state(places)
    assert (state.settled, state.unsettled_versions, count(use_case, lake, "items")) == (1, 0, 2)
    assert writer._writers["items"].history.settle() == 0
    assert read_live_state(places).history == state.history


def test_where_the_log_s_old_commits_are_cleaned_up_the_whole_log_is_settled(spark: SparkSession, lake: Path) -> None:
    use_case = use_case_with(policy="rows", rows=100)
    table, locations = use_case.table("items"), Locations(use_case, lake)
    log = locations.table(table).log
    for batch, start in enumerate((1, 3, 5)):
        LakeWriter(spark, use_case, locations, "query-1").write(records(spark, items(start, 2), first=start), batch)
        if batch == 0:
            assert settle_tables(spark, [table], locations) == [SettleReport("items", 2)]
    DeltaTable(log).create_checkpoint()
    (Path(log) / "_delta_log" / f"{1:020}.json").unlink()
    restarted = LakeWriter(spark, use_case, locations, "query-1")._writers["items"]
    assert restarted.settle_due(datetime.now(UTC)) == 4
    assert verify_table(use_case, lake, table).is_same


def test_what_waits_can_be_settled_by_hand_and_a_table_that_fails_keeps_no_other_waiting(
    spark: SparkSession, lake: Path
) -> None:
    use_case = use_case_with(policy="age", age="1 day")
    locations = Locations(use_case, lake)
    person = debezium("c", 5, {"id": 1, "email": "x@y.z", "age": 3})
    both = records(spark, items(1, 2)).union(records(spark, [person], topic="cdc-people"))
    LakeWriter(spark, use_case, locations, "query-1").write(both, 0)
    spark.read.format("delta").load(locations.table(use_case.table("items")).log).write.format("delta").save(
        locations.table(use_case.table("items")).history
    )
    failed, settled = settle_tables(spark, use_case.tables, locations)
    assert settled == SettleReport("people", 1)
    assert failed.error.startswith("items: its history was changed by something else: version 0 is a ")


def test_files_that_hold_other_keys_are_left_unread(spark: SparkSession, lake: Path) -> None:
    use_case = use_case_with(policy="each_batch")
    locations = Locations(use_case, lake)
    table = use_case.table("items")
    history = Path(locations.table(table).history)
    writer = LakeWriter(spark, use_case, locations, "query-1")
    writer.write(records(spark, items(1, 2)), 0)
    held = {path: path.with_suffix(".aside") for path in history.glob("_is_current=true/*.parquet")}
    writer.write(records(spark, items(10, 2), first=10), 1)
    for path, aside in held.items():
        path.rename(aside)
    changed = debezium("u", 20, {"id": 10, "a": "A", "b": "changed", "price": "1.00", "seen_at": None})
    writer.write(records(spark, [changed, *items(21, 1)], first=20), 2)
    for path, aside in held.items():
        aside.rename(path)
    verdict = verify_table(use_case, lake, table)
    assert (verdict.differences, verdict.versions, verdict.unsettled_log_versions) == ((), 6, 0)


def test_while_a_stream_is_behind_rows_gather_for_a_minute_and_once_it_is_not_each_batch_is_settled(
    spark: SparkSession, lake: Path
) -> None:
    use_case, state, seen = use_case_with(policy="each_batch"), {"is_behind": True}, []
    writer = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1", is_behind=lambda: state["is_behind"])
    for batch, (start, is_behind) in enumerate(((1, True), (3, True), (5, False), (7, True))):
        state["is_behind"] = is_behind
        writer.write(records(spark, items(start, 2), first=start), batch)
        seen.append((count(use_case, lake, "items"), count(use_case, lake, "items__live")))
    assert seen == [(0, 2), (0, 4), (6, 6), (6, 8)]
    now = datetime.now(UTC)
    for seconds, settled in ((20, 6), (70, 8)):
        writer.settle_due(now + timedelta(seconds=seconds))
        assert count(use_case, lake, "items") == settled
