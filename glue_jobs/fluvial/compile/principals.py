"""tables.yaml to Kafka's access lists: one principal for each component, and nothing that isn't listed is allowed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fluvial.compile.source_names import SIGNAL_TABLE, connector_name
from fluvial.config.model import UseCase

_USER: Final = "fluvial"
_SPARK_GROUPS: Final = "spark-kafka-"
"""What Spark's Kafka source begins its group ids with."""
_TOPIC_ADMIN: Final = ("CREATE", "ALTER", "ALTER_CONFIGS", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS")


@dataclass(frozen=True)
class Acl:
    """One permission, always ALLOW from any host; `pattern` is LITERAL or PREFIXED."""

    principal: str
    resource: str
    name: str
    operation: str
    pattern: str = "LITERAL"


def streaming_principal(use_case: UseCase) -> str:
    """The SCRAM user that reads the topics: the configured one."""
    return use_case.kafka.username or _USER


def capture_principal(use_case: UseCase) -> str:
    """The SCRAM user that writes them."""
    return f"{streaming_principal(use_case)}-capture"


def admin_principal(use_case: UseCase) -> str:
    """The SCRAM user that makes them."""
    return f"{streaming_principal(use_case)}-admin"


def compile_acls(use_case: UseCase) -> tuple[Acl, ...]:
    """Capture writes, streaming reads, the admin makes and removes; nobody else sees a topic."""
    return (
        *(acl for table in use_case.tables for acl in _of_topic(use_case, table.topic)),
        *(acl for topic in own_topics(use_case) for acl in _of_own_topic(use_case, topic)),
        Acl(streaming_principal(use_case), "GROUP", _SPARK_GROUPS, "READ", "PREFIXED"),
        Acl(admin_principal(use_case), "CLUSTER", "kafka-cluster", "DESCRIBE"),
    )


def own_topics(use_case: UseCase) -> tuple[str, str]:
    """Topics of Debezium's heartbeats and signals."""
    prefix = connector_name(use_case)
    return (f"__debezium-heartbeat.{prefix}", f"{prefix}.{use_case.source_database.schema_name}.{SIGNAL_TABLE}")


def _of_topic(use_case: UseCase, topic: str) -> Iterator[Acl]:
    yield from _of_own_topic(use_case, topic)
    yield from (Acl(streaming_principal(use_case), "TOPIC", topic, operation) for operation in ("READ", "DESCRIBE"))


def _of_own_topic(use_case: UseCase, topic: str) -> Iterator[Acl]:
    yield from (Acl(capture_principal(use_case), "TOPIC", topic, operation) for operation in ("WRITE", "DESCRIBE"))
    yield from (Acl(admin_principal(use_case), "TOPIC", topic, operation) for operation in _TOPIC_ADMIN)
