"""What runs on this machine, against tables.yaml: source tables, topics, connector."""

from collections.abc import Iterator, Mapping

from fluvial.compile.debezium import SourceEndpoint, compile_connector, epoch_of
from fluvial.compile.source_ddl import compile_snapshot_request
from fluvial.compile.source_names import CAPTURE_ROLE, connector_name
from fluvial.compile.topics import DAY_MS, RETENTION, Topic, compile_topics
from fluvial.config.model import UseCase
from fluvial.errors import StackError
from fluvial.local.broker import Broker
from fluvial.local.connect_api import ConnectApi
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.source_database import capture_password, connect, friendly_errors, has_database, source_differences
from fluvial.plan.change_plan import LiveDifference

_UNSHOWN = frozenset({"database.password"})


def find_live_differences(use_case: UseCase, home: Home) -> tuple[LiveDifference, ...] | None:
    """Every difference; None where the stack isn't running, or this use case was never deployed on it."""
    try:
        endpoints = read_endpoints(home)
        with connect(endpoints, "postgres") as server:
            if not has_database(server, use_case.database_name):
                return None
        existing = ConnectApi(endpoints.connect_url).config(connector_name(use_case))
        return (
            *_source(use_case, endpoints),
            *_topics(use_case, Broker(endpoints.bootstrap_servers)),
            *_connector(use_case, endpoints, existing),
        )
    except StackError:
        return None


def _source(use_case: UseCase, endpoints: Endpoints) -> list[LiveDifference]:
    with connect(endpoints, use_case.database_name) as connection, friendly_errors(use_case.database_name):
        found = (source_differences(connection, use_case, table) for table in use_case.tables)
        return [difference for differences in found for difference in differences]


def _topics(use_case: UseCase, broker: Broker) -> Iterator[LiveDifference]:
    wanted, existing = compile_topics(use_case), broker.partitions()
    settings = broker.settings([topic.name for topic in wanted if topic.name in existing])
    for topic in wanted:
        yield from topic_differences(topic, existing.get(topic.name), settings.get(topic.name, {}))


def topic_differences(topic: Topic, found: int | None, settings: Mapping[str, str]) -> Iterator[LiveDifference]:
    """What a topic is otherwise: `found` are its partitions, None where it isn't there."""
    if found is None:
        yield LiveDifference("topic", topic.name, f"doesn't exist yet: {topic.partitions} partitions")
        return
    if found < topic.partitions:
        yield LiveDifference("topic", topic.name, f"grows from {found} to {topic.partitions} partitions")
    elif found > topic.partitions:
        what = f"has {found} partitions, configured are {topic.partitions}: a topic never shrinks"
        yield LiveDifference("topic", topic.name, what, is_refused=True)
    for key, value in topic.config.items():
        if settings.get(key) != value:
            yield LiveDifference("topic", topic.name, _setting_change(key, settings.get(key, ""), value))


def _setting_change(key: str, before: str, after: str) -> str:
    if key != RETENTION:
        return f"{key} {before} becomes {after}"
    what = f"keeps records for {_days(after)} days instead of {_days(before)}"
    is_shorter = before.lstrip("-").isdigit() and not 0 <= int(before) <= int(after)
    return f"{what}: older ones are deleted, read or not" if is_shorter else what


def _days(milliseconds: str) -> str:
    """`7`, `0.5`; Kafka writes -1 for ever."""
    if not milliseconds.isdigit():
        return "all"
    return f"{int(milliseconds) / DAY_MS:g}"


def _connector(use_case: UseCase, endpoints: Endpoints, existing: dict[str, str] | None) -> Iterator[LiveDifference]:
    name = connector_name(use_case)
    source = SourceEndpoint("127.0.0.1", endpoints.postgres_port, CAPTURE_ROLE, capture_password(endpoints))
    # The capture's generation isn't configured: it stays what it is.
    wanted = {"name": name, **compile_connector(use_case, source, epoch_of(existing or {}))}
    if existing is None:
        yield LiveDifference("connector", name, "doesn't exist yet")
        return
    for key in sorted({*wanted, *existing}):
        old, new = existing.get(key), wanted.get(key)
        if old != new:
            what = "changes" if key in _UNSHOWN else f"{old} becomes {new}"
            yield LiveDifference("connector", key, what)
    captured = set(existing.get("table.include.list", "").split(","))
    for table in use_case.tables:
        if f"{use_case.source_database.schema_name}\\.{table.name}" not in captured:
            what = "rows that are there already come by an incremental snapshot"
            yield LiveDifference("snapshot", table.name, what, compile_snapshot_request(use_case, table))
