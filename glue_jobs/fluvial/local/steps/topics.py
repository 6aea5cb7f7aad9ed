"""TOPICS and DROP_TOPICS: the use case's topics on the local broker."""

from fluvial.compile.principals import own_topics
from fluvial.compile.topics import compile_topics
from fluvial.config.model import UseCase
from fluvial.local.broker import Broker
from fluvial.local.endpoints import read_endpoints
from fluvial.local.home import Home
from fluvial.plan.steps import Step


def create_topics(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Creates the missing topics and adds missing partitions; deletes nothing."""
    broker = Broker(read_endpoints(home).bootstrap_servers)
    return {"topics": dict(broker.ensure(compile_topics(use_case)))}


def drop_topics(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Deletes the tables' topics and those of the connector's heartbeats and signals."""
    broker = Broker(read_endpoints(home).bootstrap_servers)
    return {"dropped": list(broker.delete([*(table.topic for table in use_case.tables), *own_topics(use_case)]))}
