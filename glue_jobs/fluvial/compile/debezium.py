"""tables.yaml to the configuration of Debezium's PostgreSQL connector."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fluvial.compile.source_names import (
    HEARTBEAT_TABLE,
    SIGNAL_TABLE,
    connector_name,
    publication_name,
    qualified,
    slot_name,
)
from fluvial.config.model import Table, UseCase

_EPOCH_FIELD: Final = "fluvial_epoch"
_EPOCH_KEY: Final = "transforms.epoch.static.value"
_TRANSFORMS: Final = "org.apache.kafka.connect.transforms"


@dataclass(frozen=True)
class SourceEndpoint:
    """Where and as whom the connector reaches the source database."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl_mode: str = "prefer"


def compile_connector(use_case: UseCase, source: SourceEndpoint, epoch: int = 0) -> dict[str, str]:
    """The connector's whole configuration; `source.password` is in it, so print it through `without_secrets`.

    `epoch` is the capture's generation, stamped into every event: it has to rise with each new replication slot.
    """
    return {
        **_source(use_case, source),
        **_capture(use_case),
        **_values(),
        **_own_tables(use_case),
        **_transforms(use_case, epoch),
    }


def epoch_of(connector: Mapping[str, str]) -> int:
    """The epoch that a connector of this configuration stamps."""
    return int(connector.get(_EPOCH_KEY, "0"))


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
        # A snapshot that row level security keeps rows from fails, and doesn't take the rest for all there is.
        "database.initial.statements": "set row_security = off",
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
        # The heartbeat first: the only row of a snapshot's first table doesn't say that it is the table's last one.
        "table.include.list": ",".join(
            _escaped(schema, name) for name in (HEARTBEAT_TABLE, *(table.name for table in use_case.tables))
        ),
        "snapshot.mode": "initial",
        # The default drops TRUNCATE without a word.
        "skipped.operations": "none" if use_case.source_database.captures_truncates else "t",
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


def _transforms(use_case: UseCase, epoch: int) -> dict[str, str]:
    """What happens to each event on its way out: Fluvial's own tables stay behind, the others get topic and epoch."""
    own = _topic_pattern(use_case, f"({HEARTBEAT_TABLE}|{SIGNAL_TABLE})")
    steps = {
        "own": {"type": f"{_TRANSFORMS}.Filter", "predicate": "own"},
        **_routers(use_case),
        **({"epoch": _stamp(epoch)} if epoch else {}),
    }
    return {
        "predicates": "own",
        "predicates.own.type": f"{_TRANSFORMS}.predicates.TopicNameMatches",
        "predicates.own.pattern": own,
        "transforms": ",".join(steps),
        **{f"transforms.{alias}.{name}": value for alias, step in steps.items() for name, value in step.items()},
    }


def _stamp(epoch: int) -> dict[str, str]:
    return {"type": f"{_TRANSFORMS}.InsertField$Value", "static.field": _EPOCH_FIELD, "static.value": str(epoch)}


def _routers(use_case: UseCase) -> dict[str, dict[str, str]]:
    """Kafka's RegexRouter: one for all topics named `cdc-<table>`, one more for each that is named otherwise.

    Heartbeats match none of them and keep their own topic.
    """
    usual = [table for table in use_case.tables if table.topic == f"cdc-{table.name}"]
    routers = {f"route_{table.name}": (table.name, table.topic) for table in use_case.tables if table not in usual}
    if usual:
        routers["route"] = (_one_of(usual), "cdc-$1")
    return {
        alias: {
            "type": f"{_TRANSFORMS}.RegexRouter",
            "regex": _topic_pattern(use_case, pattern),
            "replacement": topic,
        }
        for alias, (pattern, topic) in routers.items()
    }


def _one_of(tables: list[Table]) -> str:
    return f"({'|'.join(table.name for table in tables)})"


def _topic_pattern(use_case: UseCase, table_pattern: str) -> str:
    return _escaped(connector_name(use_case), use_case.source_database.schema_name) + r"\." + table_pattern


def _escaped(*parts: str) -> str:
    return r"\.".join(part.replace(".", r"\.") for part in parts)
