from pathlib import Path

from fluvial.local.connect import compile_worker_settings
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
