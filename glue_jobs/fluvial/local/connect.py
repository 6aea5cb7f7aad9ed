"""Kafka Connect, distributed with one worker, with Debezium's PostgreSQL connector."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.request import urlopen

from fluvial.config.settings import LARGEST_RECORD
from fluvial.local.artifacts import plugin_path
from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.jvm import java_command, keep_archive, render_properties
from fluvial.local.part import NotReadyError, Part
from fluvial.local.state_files import write_state

HEAP: Final = "512m"
CHECK_SECONDS: Final = 5.0

SETTINGS: Final[dict[str, object]] = {
    "group.id": "fluvial-connect",
    "config.storage.topic": "_connect_configs",
    "config.storage.replication.factor": 1,
    "offset.storage.topic": "_connect_offsets",
    "offset.storage.replication.factor": 1,
    "offset.storage.partitions": 1,
    "offset.flush.interval.ms": 1000,
    "status.storage.topic": "_connect_statuses",
    "status.storage.replication.factor": 1,
    "status.storage.partitions": 1,
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "producer.max.request.size": LARGEST_RECORD,
    "producer.buffer.memory": LARGEST_RECORD,
    "plugin.discovery": "service_load",
    # A connector's configuration may not redirect the worker's own clients to another broker or login module.
    "connector.client.config.override.policy": "None",
    # There is one worker: nobody else will come back for its tasks.
    "scheduled.rebalance.max.delay.ms": 0,
}


def compile_worker_settings(home: Home, endpoints: Endpoints) -> dict[str, object]:
    """The worker's properties; its REST API answers on the loopback interface only."""
    return SETTINGS | {
        "bootstrap.servers": endpoints.bootstrap_servers,
        "plugin.path": plugin_path(home),
        "listeners": endpoints.connect_url,
        "rest.advertised.host.name": "127.0.0.1",
    }


def check_connect(endpoints: Endpoints) -> str:
    """List the connectors with their states, which a worker can only once it has joined its group."""
    url = f"{endpoints.connect_url}/connectors?expand=status"
    try:
        with urlopen(url, timeout=CHECK_SECONDS) as answer:  # noqa: S310 - the stack's own, on the loopback interface
            connectors = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise NotReadyError(str(error)) from error
    return (
        ", ".join(f"{name} {connector_state(found['status'])}" for name, found in connectors.items()) or "no connector"
    )


def connector_state(status: Mapping[str, Any]) -> str:
    """RUNNING, or the state of the first part that isn't, with the innermost cause where Connect's REST API has one."""
    parts = (status["connector"], *status["tasks"])
    halted = next((part for part in parts if part["state"] != "RUNNING"), None)
    if halted is None:
        return "RUNNING"
    *_, cause = [line for line in halted.get("trace", "").splitlines() if line[:1].strip()] or [""]
    return f"{halted['state']}: {cause.removeprefix('Caused by: ')}" if cause else str(halted["state"])


def _prepare(home: Home, endpoints: Endpoints) -> Sequence[str]:
    settings = home.run / "connect.properties"
    write_state(settings, render_properties(compile_worker_settings(home, endpoints)))
    return java_command(home, "connect", HEAP, "org.apache.kafka.connect.cli.ConnectDistributed", str(settings))


# Without its broker it would try to say goodbye for half a minute; what it has not saved, Debezium sends again.
STOP_SECONDS: Final = 10.0

CONNECT: Final = Part(
    "connect",
    _prepare,
    check_connect,
    stop_seconds=STOP_SECONDS,
    after_stop=lambda home: keep_archive(home, "connect"),
)
