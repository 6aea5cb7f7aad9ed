"""Small lakes, written by delta-rs, for tests of everything that reads one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase

VEHICLES: dict[str, Any] = {
    "name": "vehicles",
    "primary_key": "id",
    "schema": [
        {"name": "id", "type": "int", "nullable": False},
        {"name": "plate", "type": "string"},
        {"name": "price", "type": "decimal(38,4)"},
        {"name": "seen_at", "type": "timestamp"},
    ],
}
SETTINGS = {
    "checkpoint_location": "s3://checkpoints/fleet",
    "quarantine_path": "s3://quarantine/fleet",
    "delta_bucket": "lake",
}


def use_case_of(*tables: Mapping[str, Any]) -> UseCase:
    """A use case named fleet with these tables, or with `vehicles` alone."""
    return UseCase.model_validate(
        {
            "name": "fleet",
            "settings": SETTINGS,
            "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
            "tables": list(tables or (VEHICLES,)),
        }
    )


def at(second: int) -> datetime:
    """A moment of the tests' day."""
    return datetime(2026, 11, 21, 8, 0, second, tzinfo=UTC)


def write_rows(location: str, rows: list[Mapping[str, Any]], schema: pa.Schema, **options: Any) -> None:
    """Writes a new Delta table."""
    Path(location).mkdir(parents=True, exist_ok=True)
    write_deltalake(location, pa.Table.from_pylist([dict(row) for row in rows], schema=schema), **options)


def places_of(use_case: UseCase, lake: Path, table: str) -> Any:
    """Where a table's history, log and quarantine lie."""
    return Locations(use_case, lake).table(use_case.table(table))


_TIME = pa.timestamp("us", "UTC")
_BUSINESS = [
    pa.field("id", pa.int32()),
    pa.field("plate", pa.string()),
    pa.field("price", pa.decimal128(38, 4)),
    pa.field("seen_at", _TIME),
]
HISTORY_SCHEMA = pa.schema(
    [
        *_BUSINESS,
        pa.field("_sequence", pa.string()),
        pa.field("_operation", pa.string()),
        pa.field("_effective_from", _TIME),
        pa.field("_effective_to", _TIME),
        pa.field("_is_current", pa.bool_()),
        pa.field("_end_sequence", pa.string()),
        pa.field("_uncertain_since", pa.string()),
        pa.field("_unresolved_columns", pa.list_(pa.string())),
        pa.field("_ingested_at", _TIME),
    ]
)
LOG_SCHEMA = pa.schema(
    [
        *_BUSINESS,
        pa.field("_sequence", pa.string()),
        pa.field("_operation", pa.string()),
        pa.field("_commit_time", _TIME),
        pa.field("_is_quarantined", pa.bool_()),
        pa.field("_not_authored_columns", pa.list_(pa.string())),
        pa.field("_warnings", pa.list_(pa.string())),
        pa.field("_payload_hash", pa.int64()),
        pa.field("_source_position", pa.string()),
        pa.field("_topic", pa.string()),
        pa.field("_partition", pa.int32()),
        pa.field("_offset", pa.int64()),
        pa.field("_ingested_at", _TIME),
    ]
)
_VIOLATION = pa.struct([(name, pa.string()) for name in ("rule_id", "column", "severity", "message", "rule_version")])
QUARANTINE_SCHEMA = pa.schema(
    [
        *_BUSINESS,
        pa.field("_violations", pa.list_(_VIOLATION)),
        pa.field("_failed_rules", pa.list_(pa.string())),
        pa.field("_after_image", pa.map_(pa.string(), pa.string())),
        pa.field("_operation", pa.string()),
        pa.field("_sequence", pa.string()),
        pa.field("_commit_time", _TIME),
        pa.field("_source_position", pa.string()),
        pa.field("_topic", pa.string()),
        pa.field("_partition", pa.int32()),
        pa.field("_offset", pa.int64()),
        pa.field("_quarantined_at", _TIME),
    ]
)
BATCHES_SCHEMA = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("query_id", pa.string()),
        *(
            pa.field(name, pa.int64())
            for name in (
                "batch_id",
                "consumed",
                "log_rows",
                "quarantined",
                "dead_letters",
                "control_messages",
                "tombstones",
                "duplicates",
            )
        ),
    ]
)
