"""The newest snapshot of a table is found without listing its commits, and never an old one is taken for it."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from fluvial.io import delta
from fluvial.io.delta_transaction import DeltaTransaction


@pytest.fixture
def path(spark: SparkSession, tmp_path: Path) -> str:
    """A table of three versions, which Delta's own log has seen."""
    place = str(tmp_path / "table")
    for _ in range(3):
        add_row(spark, place)
    return place


def add_row(spark: SparkSession, path: str) -> None:
    delta.append(spark.range(1), path)


def version(spark: SparkSession, path: str) -> int:
    found = delta.snapshot(spark, path)
    return -1 if found is None else found.version


def test_a_table_is_looked_at_again_after_commits_of_one_s_own_and_of_others(spark: SparkSession, path: str) -> None:
    assert version(spark, path) == 2
    transaction = DeltaTransaction(spark, path)
    transaction.commit(transaction.write_files(spark.range(1)), "", is_append=True)
    assert version(spark, path) == 3
    write_deltalake(path, pa.table({"id": [1]}), mode="append")
    assert version(spark, path) == 4
    begun = DeltaTransaction(spark, path).snapshot
    assert begun is not None
    assert begun.version == 4


def test_a_table_that_is_gone_or_another_is_seen(spark: SparkSession, path: str) -> None:
    before = delta.snapshot(spark, path)
    shutil.rmtree(path)
    assert delta.snapshot(spark, path) is None
    for number in range(3):
        write_deltalake(path, pa.table({"id": [number]}), mode="append")
    after = delta.snapshot(spark, path)
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == (2, 2)
    assert before.table_id != after.table_id


def test_commits_are_listed_only_where_there_is_a_newer_one(spark: SparkSession, path: str) -> None:
    assert version(spark, path) == 2
    strange = Path(path) / "_delta_log" / f"{9:020}.json"  # whoever lists the commits finds that some are missing
    strange.write_text("{}\n", encoding="utf-8")
    assert version(spark, path) == 2
    add_row_by_another(path)
    with pytest.raises(Py4JJavaError, match="contiguous"):
        delta.snapshot(spark, path)


def add_row_by_another(path: str) -> None:
    place = Path(path) / "_delta_log"
    shutil.copy(place / f"{2:020}.json", place / f"{3:020}.json")
