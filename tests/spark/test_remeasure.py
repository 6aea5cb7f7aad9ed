"""Metrics that are lost come back as they were, from log and quarantine."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.quarantine_replay import QuarantineReplayer
from fluvial.io.remeasure import remeasure_batches
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection
from tests.spark.lake_rows import read_rows
from tests.spark.records import TINY, debezium, records

CHECKS = [
    {"metric": metric, "column": column, "threshold": 0.9}
    for metric, column in (("completeness", "b"), ("compliance", "a"), ("compliance", "price"), ("uniqueness", "a"))
]
ITEMS, PEOPLE = TINY["tables"]
CASE = UseCase.model_validate(
    TINY | {"tables": [ITEMS | {"deequ_checks": [*CHECKS, {"metric": "size", "threshold": 3}]}, PEOPLE]}
)
TABLE = CASE.table("items")


def item(key: int, a: str | None, b: str | None = "b", price: str = "1.00") -> dict[str, Any]:
    return {"id": key, "a": a, "b": b, "price": price, "seen_at": None}


BATCHES = [
    [
        debezium("r", 1, item(1, "A")),
        debezium("c", 2, item(2, "small", None)),
        debezium("c", 3, item(3, "A", price="-1.00")),
        debezium("c", 4, item(4, None)),
    ],
    [debezium("d", 5, item(1, "A")), debezium("d", 6, item(2, "A"))],
    [
        debezium("u", 7, item(2, "A", "__debezium_unavailable_value")),
        debezium("u", 8, item(3, "small", None, price="500.00")),
        debezium("u", 9, item(4, "B")),
    ],
]


def test_lost_metrics_are_measured_anew_as_they_were_and_those_that_are_there_stay(
    spark: SparkSession, tmp_path: Path
) -> None:
    places = Locations(CASE, tmp_path)
    moments = iter(datetime(2026, 1, 1, 12, minute, 0, 250_000, tzinfo=UTC) for minute in range(60))
    writer = LakeWriter(spark, CASE, places, "q", clock=lambda: next(moments))
    for number, values in enumerate(BATCHES):
        writer.write(records(spark, values, first=number * 100), number)
    repair = Repair("0000.1.0000000000000003", {"id": "3"}, {"price": "3.00"}, 1)
    QuarantineReplayer(spark, TABLE, places, "mender").replay(Selection(repairs=(repair,)))
    before = metrics(places)
    assert {(row["batch_id"], row["metric"]) for row in before} >= {
        (0, "rule_failures"),
        (1, "size"),
        (2, "uniqueness"),
    }
    found = remeasure_batches(spark, TABLE, places)
    assert (found.batches, found.metrics, found.reasons) == (0, 0, ())
    shutil.rmtree(places.dq_metrics)
    found = remeasure_batches(spark, TABLE, places)
    assert (found.batches, found.metrics) == (3, len(before))
    assert metrics(places) == before
    assert remeasure_batches(spark, TABLE, places).metrics == 0
    assert remeasure_batches(spark, CASE.table("people"), places).batches == 0


def metrics(places: Locations) -> list[dict[str, Any]]:
    return sorted(read_rows(places.dq_metrics), key=lambda row: (row["batch_id"], row["metric"], str(row["column"])))
