"""What a micro-batch holds of each topic."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from fluvial.io.parked import BatchId, OffsetRange, Share
from fluvial.io.session import setting
from fluvial.streams import BatchContext

PassedOver = Mapping[str, Sequence[OffsetRange]]
"""By topic, offsets that a query has gone past without reading them."""


def find_shares(records: DataFrame, context: BatchContext) -> dict[str, Share]:
    """The share of each topic. There is a row for each of Kafka's partitions: one task puts them together."""
    counts = (F.count("*").alias("records"), F.min("offset").alias("first"), F.max("offset").alias("last"))
    shares: dict[str, Share] = {}
    with setting(records.sparkSession, "spark.sql.shuffle.partitions", "1"):
        rows = records.groupBy("topic", "partition").agg(*counts).collect()
    for row in rows:
        _add(shares, row["topic"], _share(row, context))
    return shares


def add_passed_over(shares: dict[str, Share], passed_over: PassedOver, context: BatchContext) -> dict[str, Share]:
    """The shares, each with what was passed over of its topic."""
    for topic, ranges in passed_over.items():
        records_there = sum(each.end - each.first for each in ranges)
        _add(shares, topic, Share(_identity(context), records_there, tuple(ranges)))
    return shares


def _add(shares: dict[str, Share], topic: str, share: Share) -> None:
    shares[topic] = shares[topic].joined(share) if topic in shares else share


def _share(row: Row, context: BatchContext) -> Share:
    found = OffsetRange(row["topic"], row["partition"], row["first"], row["last"] + 1)
    return Share(_identity(context), row["records"], (found,))


def _identity(context: BatchContext) -> BatchId:
    return BatchId(context.query_id, context.batch_id)
