"""Columns of every table of the lake, for views over tables that hold no row yet."""

from collections.abc import Mapping
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.io.duckdb_types import duckdb_type

_VIOLATION: Final = '"rule_id" VARCHAR, "column" VARCHAR, "severity" VARCHAR, "message" VARCHAR, "rule_version" VARCHAR'
_HISTORY: Final = {
    c.SEQUENCE: "VARCHAR",
    c.OPERATION: "VARCHAR",
    c.EFFECTIVE_FROM: "TIMESTAMPTZ",
    c.EFFECTIVE_TO: "TIMESTAMPTZ",
    c.IS_CURRENT: "BOOLEAN",
    c.END_SEQUENCE: "VARCHAR",
    c.UNCERTAIN_SINCE: "VARCHAR",
    c.UNRESOLVED: "VARCHAR[]",
    c.INGESTED_AT: "TIMESTAMPTZ",
}
_KAFKA_POSITION: Final = {c.TOPIC: "VARCHAR", c.PARTITION: "INTEGER", c.OFFSET: "BIGINT"}
_LOG: Final = {
    c.SEQUENCE: "VARCHAR",
    c.OPERATION: "VARCHAR",
    c.COMMIT_TIME: "TIMESTAMPTZ",
    c.IS_QUARANTINED: "BOOLEAN",
    c.NOT_AUTHORED: "VARCHAR[]",
    c.WARNINGS: "VARCHAR[]",
    c.PAYLOAD_HASH: "BIGINT",
    c.SOURCE_POSITION: "VARCHAR",
    **_KAFKA_POSITION,
    c.QUERY_ID: "VARCHAR",
    c.BATCH_ID: "BIGINT",
    c.INGESTED_AT: "TIMESTAMPTZ",
}
_QUARANTINE: Final = {
    c.VIOLATIONS: f"STRUCT({_VIOLATION})[]",
    c.FAILED_RULES: "VARCHAR[]",
    c.AFTER_IMAGE: "MAP(VARCHAR, VARCHAR)",
    c.OPERATION: "VARCHAR",
    c.SEQUENCE: "VARCHAR",
    c.COMMIT_TIME: "TIMESTAMPTZ",
    c.SOURCE_POSITION: "VARCHAR",
    **_KAFKA_POSITION,
    c.QUARANTINED_AT: "TIMESTAMPTZ",
}
DEAD_LETTERS: Final[Mapping[str, str]] = {
    "table": "VARCHAR",
    "reason": "VARCHAR",
    "topic": "VARCHAR",
    "partition": "INTEGER",
    "offset": "BIGINT",
    "kafka_timestamp": "TIMESTAMPTZ",
    "key": "BLOB",
    "value": "BLOB",
    "value_sha256": "VARCHAR",
    "value_bytes": "BIGINT",
    "query_id": "VARCHAR",
    "batch_id": "BIGINT",
    "dead_lettered_at": "TIMESTAMPTZ",
}
QUARANTINE_REPLAYS: Final[Mapping[str, str]] = {
    "replay_id": "VARCHAR",
    "table": "VARCHAR",
    "key": "VARCHAR",
    "sequence": "VARCHAR",
    "operation": "VARCHAR",
    "topic": "VARCHAR",
    "partition": "INTEGER",
    "offset": "BIGINT",
    "outcome": "VARCHAR",
    "failed_rules": "VARCHAR[]",
    "repaired_columns": "VARCHAR[]",
    "rule_versions": "MAP(VARCHAR, VARCHAR)",
    "replayed_by": "VARCHAR",
    "replayed_at": "TIMESTAMPTZ",
}
DQ_METRICS: Final[Mapping[str, str]] = {
    "use_case": "VARCHAR",
    "table": "VARCHAR",
    "query_id": "VARCHAR",
    "batch_id": "BIGINT",
    "metric": "VARCHAR",
    "column": "VARCHAR",
    "value": "DOUBLE",
    "threshold": "DOUBLE",
    "severity": "VARCHAR",
    "is_breach": "BOOLEAN",
    "measured_at": "TIMESTAMPTZ",
}
_COUNTS: Final = (
    "consumed",
    "log_rows",
    "quarantined",
    "dead_letters",
    "control_messages",
    "tombstones",
    "duplicates",
)
BATCHES: Final[Mapping[str, str]] = {
    "table": "VARCHAR",
    "query_id": "VARCHAR",
    "batch_id": "BIGINT",
    **dict.fromkeys(_COUNTS, "BIGINT"),
    "min_commit_time": "TIMESTAMPTZ",
    "max_commit_time": "TIMESTAMPTZ",
    "processed_at": "TIMESTAMPTZ",
}


def history_columns(table: Table) -> dict[str, str]:
    """Columns of the history, in order."""
    return _business_columns(table.lake) | _HISTORY


def log_columns(table: Table) -> dict[str, str]:
    """Columns of the log, in order."""
    return _business_columns(table.lake) | _LOG


def quarantine_columns(table: Table) -> dict[str, str]:
    """Columns of the quarantine, in order: those of the source."""
    return _business_columns(table) | _QUARANTINE


def _business_columns(table: Table) -> dict[str, str]:
    return {column.name: duckdb_type(column.type) for column in table.columns}
