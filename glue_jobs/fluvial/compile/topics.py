"""tables.yaml to Kafka topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fluvial.config.model import Table, UseCase
from fluvial.config.sizes import size_in_bytes

DAY_MS: Final = 24 * 60 * 60 * 1000
RETENTION: Final = "retention.ms"
_REPLICATION_FACTOR: Final = 3
_IN_SYNC: Final = 2


@dataclass(frozen=True)
class Topic:
    """One Kafka topic as it should be; `config` holds only what differs from the broker's defaults."""

    name: str
    partitions: int
    config: Mapping[str, str]


def compile_topics(use_case: UseCase) -> tuple[Topic, ...]:
    """One topic for each table, in the order of tables.yaml."""
    return tuple(_topic(use_case, table) for table in use_case.tables)


def clustered(topic: Topic) -> dict[str, Any]:
    """The topic as data for a cluster of three brokers, where a write is safe once two have it."""
    config = {**topic.config, "min.insync.replicas": str(_IN_SYNC)}
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "replication_factor": _REPLICATION_FACTOR,
        "config": config,
    }


def _topic(use_case: UseCase, table: Table) -> Topic:
    kafka = use_case.kafka
    config = {
        # Never `compact`: history needs every event of a key, not the latest.
        "cleanup.policy": "delete",
        RETENTION: str(kafka.retention_days * DAY_MS),
        # By Kafka's default, of one megabyte, the first longer row ends the capture of every table.
        "max.message.bytes": str(size_in_bytes(kafka.largest_record)),
    }
    return Topic(table.topic, table.partitions or kafka.partitions, config)
