"""tables.yaml to the configuration of Debezium's PostgreSQL connector."""

from dataclasses import dataclass, field

from fluvial.compile.source_names import (
    HEARTBEAT_TABLE,
    SIGNAL_TABLE,
    connector_name,
    publication_name,
    qualified,
    slot_name,
)
from fluvial.config.model import Table, UseCase


@dataclass(frozen=True)
class SourceEndpoint:
    """Where and as whom the connector reaches the source database."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl_mode: str = "prefer"


def compile_connector(use_case: UseCase, source: SourceEndpoint) -> dict[str, str]:
    """The connector's whole configuration; `source.password` is in it, so print it through `without_secrets`."""
    return {
        **_source(use_case, source),
        **_capture(use_case),
        **_values(),
        **_own_tables(use_case),
        **_routing(use_case),
    }


def without_secrets(connector: dict[str, str]) -> dict[str, str]:
    """The same configuration, fit to be printed."""
    return {key: "********" if key == "database.password" else value for key, value in connector.items()}


def _source(use_case: UseCase, source: SourceEndpoint) -> dict[str, str]:
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": source.host,
        "database.port": str(source.port),
        "database.user": source.user,
        "database.password": source.password,
        "database.dbname": use_case.database_name,
        "database.sslmode": source.ssl_mode,
        "topic.prefix": connector_name(use_case),
    }


def _capture(use_case: UseCase) -> dict[str, str]:
    schema = use_case.source_database.schema_name
    return {
        "plugin.name": "pgoutput",
        "slot.name": slot_name(use_case),
        "publication.name": publication_name(use_case),
        # The owner publishes the tables: a connector that may do it itself would need to own them.
        "publication.autocreate.mode": "disabled",
        "table.include.list": ",".join(_escaped(schema, table.name) for table in use_case.tables),
        "snapshot.mode": "initial",
        # The default drops TRUNCATE without a word.
        "skipped.operations": "none",
        "tombstones.on.delete": "true",
        # Task and run ids beside every event; the headers of a key change come without it.
        "extended.headers.enabled": "false",
        "poll.interval.ms": "50",
        # Counted in bytes as well, because 8,192 rows with long texts don't fit into a small worker's heap.
        "max.queue.size.in.bytes": str(32 * 1024 * 1024),
    }


def _values() -> dict[str, str]:
    json_converter = "org.apache.kafka.connect.json.JsonConverter"
    return {
        # Both defaults lose something: bytes nobody can query, and microseconds or days by column type.
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        "interval.handling.mode": "string",
        "binary.handling.mode": "base64",
        "key.converter": json_converter,
        "key.converter.schemas.enable": "false",
        "value.converter": json_converter,
        "value.converter.schemas.enable": "false",
    }


def _own_tables(use_case: UseCase) -> dict[str, str]:
    schema = use_case.source_database.schema_name
    return {
        # An idle database still writes WAL (autovacuum, other databases); the heartbeat lets the slot move on.
        "heartbeat.interval.ms": "5000",
        "heartbeat.action.query": f"update {qualified(use_case, HEARTBEAT_TABLE)} set beat_at = now() where id = 1",
        "signal.enabled.channels": "source",
        "signal.data.collection": f"{schema}.{SIGNAL_TABLE}",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.default.partitions": "1",
    }


def _routing(use_case: UseCase) -> dict[str, str]:
    """Kafka's RegexRouter: one for all topics named `cdc-<table>`, one more for each that is named otherwise.

    Heartbeats and signals match none of them and keep their own topics.
    """
    usual = [table for table in use_case.tables if table.topic == f"cdc-{table.name}"]
    routers = {f"route_{table.name}": (table.name, table.topic) for table in use_case.tables if table not in usual}
    if usual:
        routers["route"] = (_one_of(usual), "cdc-$1")
    config = {"transforms": ",".join(routers)}
    for alias, (pattern, topic) in routers.items():
        config[f"transforms.{alias}.type"] = "org.apache.kafka.connect.transforms.RegexRouter"
        config[f"transforms.{alias}.regex"] = _topic_pattern(use_case, pattern)
        config[f"transforms.{alias}.replacement"] = topic
    return config


def _one_of(tables: list[Table]) -> str:
    return f"({'|'.join(table.name for table in tables)})"


def _topic_pattern(use_case: UseCase, table_pattern: str) -> str:
    return _escaped(connector_name(use_case), use_case.source_database.schema_name) + r"\." + table_pattern


def _escaped(*parts: str) -> str:
    return r"\.".join(part.replace(".", r"\.") for part in parts)
