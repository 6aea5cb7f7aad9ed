"""History is a function of the set of events: neither their order nor the micro-batches nor redelivery change it."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.verify import verify_table
from tests.spark.records import debezium, records

TOAST = "__debezium_unavailable_value"


def item(key: int, a: str | None, b: str = "b", price: str = "1.00") -> dict[str, Any]:
    return {"id": key, "a": a, "b": b, "price": price, "seen_at": None}


EVENTS = [
    debezium("r", 50, item(1, "S")),
    debezium("u", 20, item(1, "T", "long text")),
    debezium("u", 30, item(1, "U", TOAST)),
    debezium("u", 31, item(1, "V", TOAST, "-1.00")),
    debezium("u", 32, item(1, "W", TOAST), time=5),
    debezium("c", 21, item(2, "A")),
    debezium("d", 25, item(2, "A")),
    debezium("d", 27, item(2, "A")),
    debezium("c", 29, item(2, "B"), time=1),
    debezium("t", 40),
    debezium("c", 41, item(3, "C")),
    debezium("u", 41, item(3, "D")),
    debezium("u", 45, item(4, None)),
]


@pytest.mark.slow
def test_three_batchings_of_shuffled_and_repeated_events_give_one_history(
    spark: SparkSession, tiny: UseCase, tmp_path: Path
) -> None:
    histories = []
    for seed, size in ((1, 4), (2, 7), (3, 1000)):
        lake, random = tmp_path / str(seed) / "s3", Random(seed)
        delivered = [*EVENTS, *random.sample(EVENTS, 5)]
        random.shuffle(delivered)
        writer = LakeWriter(spark, tiny, Locations(tiny, lake), f"query-{seed}")
        for batch, start in enumerate(range(0, len(delivered), size)):
            writer.write(records(spark, delivered[start : start + size], first=start), batch)
        assert verify_table(tiny, lake, tiny.table("items")).is_same
        history = spark.read.format("delta").load(Locations(tiny, lake).table(tiny.table("items")).history)
        histories.append(sorted(str(row) for row in history.drop("_ingested_at").collect()))
    assert histories[0] == histories[1] == histories[2]
    assert len(histories[0]) == 7
