"""TOPICS and DROP_TOPICS: the use case's topics on the local broker."""

from fluvial.compile.source_names import SIGNAL_TABLE, connector_name
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
    prefix = connector_name(use_case)
    own = (f"__debezium-heartbeat.{prefix}", f"{prefix}.{use_case.source_database.schema_name}.{SIGNAL_TABLE}")
    broker = Broker(read_endpoints(home).bootstrap_servers)
    return {"dropped": list(broker.delete([*(table.topic for table in use_case.tables), *own]))}
