"""tables.yaml to Kafka topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fluvial.config.model import UseCase

RETENTION_DAYS: Final = 7
"""How long a stopped streaming job may stay away before a change event is lost to it."""
PARTITIONS: Final = 1
_TOPIC_CONFIG: Final[Mapping[str, str]] = {
    # Never `compact`: history needs every event of a key, not the latest.
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION_DAYS * 24 * 60 * 60 * 1000),
}


@dataclass(frozen=True)
class Topic:
    """One Kafka topic as it should be; `config` holds only what differs from the broker's defaults."""

    name: str
    partitions: int
    config: Mapping[str, str]


def compile_topics(use_case: UseCase) -> tuple[Topic, ...]:
    """One topic for each table, in the order of tables.yaml."""
    return tuple(Topic(table.topic, PARTITIONS, dict(_TOPIC_CONFIG)) for table in use_case.tables)
