"""Kafka records for tests, in both envelopes, and the use case they belong to."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io.events_file import RECORD_SCHEMA
from fluvial.io.lake_writer import LakeWriter

MakeWriter = Callable[..., LakeWriter]
"""(query id) -> a writer of the tiny use case's lake."""

TOPIC = "cdc-items"
COMMIT_MICROS = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z; an event's commit time is this and its LSN in seconds."""

TINY: dict[str, Any] = {
    "name": "tiny",
    "settings": {
        "checkpoint_location": "s3://tiny/checkpoint",
        "quarantine_path": "s3://tiny-quarantine",
        "delta_bucket": "tiny",
    },
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
    "tables": [
        {
            "name": "items",
            "primary_key": "id",
            "schema": [
                {"name": "id", "type": "integer"},
                {"name": "a", "type": "string"},
                {"name": "b", "type": "string"},
                {"name": "price", "type": "decimal(10,2)"},
                {"name": "seen_at", "type": "timestamp"},
            ],
            "dq_rules": [
                {"id": "price_range", "type": "range", "column": "price", "params": {"min": 0, "max": 100}},
                {"id": "a_present", "type": "not_null", "column": "a"},
                {
                    "id": "a_known",
                    "type": "regex",
                    "column": "a",
                    "params": {"pattern": "^[A-Z]"},
                    "severity": "warning",
                },
            ],
            "deequ_checks": [{"metric": "completeness", "column": "a", "threshold": 0.99}],
        },
        {
            "name": "people",
            "primary_key": "id",
            "schema": [
                {"name": "id", "type": "integer"},
                {"name": "email", "type": "string"},
                {"name": "age", "type": "integer"},
            ],
            "dq_rules": [{"id": "age_range", "type": "range", "column": "age", "params": {"min": 0, "max": 150}}],
            "transforms": [
                {"type": "trim", "column": "email", "order": 1},
                {"type": "lower", "column": "email", "order": 2},
                {"type": "mask_pii", "column": "email", "params": {"visible_chars": 4}, "order": 3},
            ],
        },
    ],
}


def debezium(
    op: str, lsn: int, row: dict[str, Any] | None = None, *, time: int | None = None, epoch: str = "", **source: Any
) -> str:
    """A Debezium value; a delete's row is its before-image."""
    micros = COMMIT_MICROS + (lsn if time is None else time) * 1_000_000
    place = {"lsn": lsn, "ts_us": micros, "snapshot": "true" if op == "r" else "false", "txId": 7} | source
    images = {"before": row, "after": None} if op == "d" else {"before": None, "after": row}
    return json.dumps({"op": op, **images, "source": place} | ({"fluvial_epoch": epoch} if epoch else {}))


def dms(operation: str, record: int, row: dict[str, Any], before: dict[str, Any] | None = None) -> str:
    """A DMS value with transaction details."""
    metadata = {
        "timestamp": "2026-01-01T00:00:09.000000Z",
        "record-type": "data",
        "operation": operation,
        "commit-timestamp": "2026-01-01T00:00:08.000000Z",
        "stream-position": f"00000000/{record:08X}.3.00000000/{record:08X}",
        "transaction-record-id": 1,
    }
    return json.dumps({"data": row, "metadata": metadata} | ({"before-image": before} if before else {}))


def records(spark: SparkSession, values: Sequence[str | bytes | None], topic: str = TOPIC, first: int = 0) -> DataFrame:
    """A batch of Kafka records with these values, at offsets from `first` on."""
    rows = [
        (bytearray(b"{}"), _bytes(value), topic, 0, first + number, datetime(2026, 1, 1, tzinfo=UTC))
        for number, value in enumerate(values)
    ]
    return spark.createDataFrame(rows, RECORD_SCHEMA)


def _bytes(value: str | bytes | None) -> bytearray | None:
    if value is None:
        return None
    return bytearray(value if isinstance(value, bytes) else value.encode())
