"""STACKS: the local profile's own PostgreSQL, Kafka and Kafka Connect."""

from fluvial.config.model import UseCase
from fluvial.local.home import Home
from fluvial.local.stack import up
from fluvial.plan.steps import Step


def start_stacks(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Where everything answers; without the password, since results are shown."""
    endpoints = up(home)
    return {
        "postgres_port": endpoints.postgres_port,
        "bootstrap_servers": endpoints.bootstrap_servers,
        "connect_url": endpoints.connect_url,
    }
