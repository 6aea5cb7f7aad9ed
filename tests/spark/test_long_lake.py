"""The past that the benchmarks make directly is the one that the job would have left."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.locations import Locations
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.verify import verify_table
from tests.benchmarks.accounts import Life, accounts_use_case, past_records
from tests.benchmarks.long_lake import LongLake

LIFE = Life(keys=20, history=3)
BATCH = 40
UNLIKE = (c.INGESTED_AT, c.QUERY_ID, c.BATCH_ID, c.PAYLOAD_HASH)
"""What the two ways may differ in: when, by whom, and the hash of texts that the short way never writes."""


def rows(spark: SparkSession, path: str) -> list[str]:
    frame: DataFrame = spark.read.format("delta").load(path).drop(*UNLIKE)
    return sorted(str(row) for row in frame.select(sorted(frame.columns)).collect())


def test_a_made_past_equals_the_same_events_settled_batch_by_batch(spark: SparkSession, tmp_path: Path) -> None:
    use_case = accounts_use_case()
    made = LongLake(spark, use_case, LIFE, tmp_path / "made")
    made.build()
    lived = Locations(use_case, tmp_path / "lived")
    writer, past = LakeWriter(spark, use_case, lived, "query-1"), past_records(spark, LIFE).persist()
    for batch in range(LIFE.past_events // BATCH):
        writer.write(past.where(F.col("offset").between(batch * BATCH, (batch + 1) * BATCH - 1)), batch)
    past.unpersist()
    (table,) = use_case.tables
    assert rows(spark, made.locations.log) == rows(spark, lived.table(table).log)
    assert rows(spark, made.locations.history) == rows(spark, lived.table(table).history)
    assert verify_table(use_case, tmp_path / "made", table).is_same
