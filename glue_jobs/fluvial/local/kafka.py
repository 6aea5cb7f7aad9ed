"""The broker: Kafka 4 in KRaft mode, one node that is its own controller."""

import base64
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.jvm import java_command, keep_archive, render_properties, tool_command
from fluvial.local.part import NotReadyError, Part, run_to_end
from fluvial.local.state_files import write_state

HEAP: Final = "192m"
CHECK_SECONDS: Final = 2.0

# One node: every internal topic has one replica. Small buffers: the defaults alone need a heap of more than 192 MiB.
SETTINGS: Final[dict[str, object]] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": 1,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    # A killed broker may register again only when the controller, in the same JVM, has given up the old one: 9 s else.
    "broker.heartbeat.interval.ms": 1000,
    "broker.session.timeout.ms": 4000,
    "log.segment.bytes": 64 * 1024 * 1024,
    "log.retention.hours": 168,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
    "log.cleaner.io.buffer.size": 64 * 1024,
}


def compile_broker_settings(home: Home, endpoints: Endpoints) -> dict[str, object]:
    """The broker's server.properties."""
    listener = f"PLAINTEXT://127.0.0.1:{endpoints.kafka_port}"
    controller = f"127.0.0.1:{endpoints.controller_port}"
    return SETTINGS | {
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"{listener},CONTROLLER://{controller}",
        "advertised.listeners": listener,
        "log.dirs": _data(home),
    }


def check_kafka(endpoints: Endpoints) -> str:
    """Ask for the cluster's metadata, which a broker gives only once it has joined its controller."""
    from confluent_kafka import KafkaException  # noqa: PLC0415 - a quarter of a second that most commands don't need
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    client = AdminClient({"bootstrap.servers": endpoints.bootstrap_servers, "log_level": 0})
    try:
        topics = client.list_topics(timeout=CHECK_SECONDS).topics
    except KafkaException as error:
        raise NotReadyError(error.args[0].str()) from error
    own = sum(1 for name in topics if not name.startswith("_"))
    return f"{own} topics"


def _prepare(home: Home, endpoints: Endpoints) -> Sequence[str]:
    settings = home.run / "kafka.properties"
    write_state(settings, render_properties(compile_broker_settings(home, endpoints)))
    command = java_command(home, "kafka", HEAP, "kafka.Kafka", str(settings))
    if not (_data(home) / "meta.properties").exists():
        _format_storage(home, settings)
    return command


def _format_storage(home: Home, settings: Path) -> None:
    _data(home).mkdir(parents=True, exist_ok=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    words = ("format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(settings))
    run_to_end(home, "kafka", tool_command(home, "kafka.tools.StorageTool", *words))


def _data(home: Home) -> Path:
    return home.data / "kafka"


KAFKA: Final = Part("kafka", _prepare, check_kafka, after_stop=lambda home: keep_archive(home, "kafka"))
