"""Every way in which Fluvial commits to a Delta table waits for the table's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import SparkSession

from fluvial.io import delta
from fluvial.io.delta_transaction import DeltaTransaction
from fluvial.io.staged_append import stage_append
from tests.locked_tables import locked_elsewhere


def version_of(spark: SparkSession, path: str) -> int:
    found = delta.snapshot(spark, path)
    assert found is not None
    return found.version


def test_a_commit_waits_until_another_process_has_made_its_own(spark: SparkSession, tmp_path: Path) -> None:
    rows, wider = spark.range(1).coalesce(1), spark.sql("select 1L as id, 'x' as name")

    def appended(path: str) -> object:
        return delta.append(rows, path)

    def replaced(path: str) -> object:
        return delta.replace_rows(rows, path, (), {}, "a note")

    def widened(path: str) -> object:
        return delta.add_missing_columns(spark.newSession(), path, wider)

    def staged(path: str) -> object:
        return stage_append(rows, path).commit("a note")

    def rewritten(path: str) -> object:
        return DeltaTransaction(spark, path).commit([], "a note", is_append=True)

    ways: dict[str, Callable[[str], object]] = {
        str(tmp_path / way.__name__): way for way in (appended, replaced, widened, staged, rewritten)
    }
    for path in ways:
        rows.write.format("delta").save(path)
    with ThreadPoolExecutor(len(ways)) as pool:
        with ExitStack() as locks:
            for path in ways:
                locks.enter_context(locked_elsewhere(path))
            committed = [pool.submit(way, path) for path, way in ways.items()]
            assert not wait(committed, timeout=10).done
            assert [version_of(spark, path) for path in ways] == [0] * len(ways)
        for each in committed:
            each.result()
    assert [version_of(spark, path) for path in ways] == [1] * len(ways)
