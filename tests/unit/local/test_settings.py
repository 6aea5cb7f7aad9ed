from pathlib import Path

import pytest

from fluvial.local.connect import compile_worker_settings, connector_state
from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.kafka import compile_broker_settings

ENDPOINTS = Endpoints(5001, 5002, 5003, "secret", 5004)
HOME = Home(Path("/home/ada/.fluvial"))


def test_the_broker_listens_on_the_loopback_interface_only() -> None:
    settings = compile_broker_settings(HOME, ENDPOINTS)
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:5002,CONTROLLER://127.0.0.1:5004"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:5002"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:5004"


def test_no_topic_comes_into_being_by_a_typing_error() -> None:
    assert compile_broker_settings(HOME, ENDPOINTS)["auto.create.topics.enable"] == "false"


def test_connects_rest_api_listens_on_the_loopback_interface_only() -> None:
    assert compile_worker_settings(HOME, ENDPOINTS)["listeners"] == "http://127.0.0.1:5003"


def test_a_connector_may_not_redirect_the_workers_clients() -> None:
    assert compile_worker_settings(HOME, ENDPOINTS)["connector.client.config.override.policy"] == "None"


def test_what_the_topics_take_the_workers_producer_may_send() -> None:
    settings = compile_worker_settings(HOME, ENDPOINTS)
    assert (settings["producer.max.request.size"], settings["producer.buffer.memory"]) == (67_108_864, 67_108_864)


TRACE = """org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback
\tat org.apache.kafka.connect.runtime.WorkerSourceTask.maybeThrowProducerSendException(WorkerSourceTask.java:334)
Caused by: org.apache.kafka.common.errors.RecordTooLargeException: The message is 80000606 bytes when serialized
\t... 12 more
"""


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({"state": "RUNNING"}, "RUNNING"),
        ({"state": "PAUSED"}, "PAUSED"),
        ({"state": "FAILED", "trace": ""}, "FAILED"),
        (
            {"state": "FAILED", "trace": TRACE},
            "FAILED: org.apache.kafka.common.errors.RecordTooLargeException: "
            "The message is 80000606 bytes when serialized",
        ),
        ({"state": "FAILED", "trace": "java.lang.Error: no\n\tat somewhere"}, "FAILED: java.lang.Error: no"),
    ],
)
def test_a_connectors_state_is_that_of_its_first_part_that_does_not_run_with_the_cause(
    task: dict[str, str], told: str
) -> None:
    assert connector_state({"connector": {"state": "RUNNING"}, "tasks": [{"state": "RUNNING"}, task]}) == told
