"""The local Kafka broker's topics."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)

from fluvial.compile.topics import Topic
from fluvial.errors import StackError

_TIMEOUT_SECONDS: Final = 10


def admin_client(bootstrap_servers: str) -> AdminClient:
    """A client that keeps quiet: without log_level, librdkafka prints each refused connection on stderr."""
    return AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})


@contextmanager
def asking(bootstrap_servers: str) -> Iterator[None]:
    """Raises StackError where no broker answers."""
    try:
        yield
    except KafkaException as error:
        raise StackError(
            f"no Kafka broker answers at {bootstrap_servers}: {error.args[0].str()}",
            "see `fluvial status`, mend it with `fluvial up`",
            part="kafka",
        ) from error


class Broker:
    """Creates, widens, configures and deletes topics; every method may be repeated."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._admin = admin_client(bootstrap_servers)

    def partitions(self) -> dict[str, int]:
        """Every topic with its number of partitions; raises StackError where no broker answers."""
        with asking(self._servers):
            metadata = self._admin.list_topics(timeout=_TIMEOUT_SECONDS)
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """What is set for each of these topics, those that there are."""
        asked = self._admin.describe_configs([ConfigResource("topic", name) for name in names]) if names else {}
        found: dict[str, dict[str, str]] = {}
        for resource, future in asked.items():
            with _telling(resource.name):
                entries = future.result(_TIMEOUT_SECONDS)
                found[resource.name] = {key: str(entry.value) for key, entry in entries.items()}
        return found

    def ensure(self, topics: Iterable[Topic]) -> Mapping[str, str]:
        """What was done for each topic: created, widened, configured or kept; a topic never loses partitions."""
        existing, wanted = self.partitions(), tuple(topics)
        new = [topic for topic in wanted if topic.name not in existing]
        narrow = [topic for topic in wanted if existing.get(topic.name, topic.partitions) < topic.partitions]
        others = self._otherwise([topic for topic in wanted if topic.name in existing])
        self._create(new)
        self._widen(narrow)
        self._configure(others)
        done = dict.fromkeys((topic.name for topic in wanted), "kept")
        done |= {topic.name: "configured" for topic in others}
        return done | {topic.name: "created" for topic in new} | {topic.name: "widened" for topic in narrow}

    def delete(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of the topics that were there and are gone."""
        existing = self.partitions()
        doomed = [name for name in names if name in existing]
        if doomed:
            self._wait(self._admin.delete_topics(doomed, operation_timeout=_TIMEOUT_SECONDS))
        return tuple(doomed)

    def _create(self, topics: list[Topic]) -> None:
        if topics:
            new = [NewTopic(topic.name, topic.partitions, config=dict(topic.config)) for topic in topics]
            self._wait(self._admin.create_topics(new))

    def _widen(self, topics: list[Topic]) -> None:
        if topics:
            self._wait(self._admin.create_partitions([NewPartitions(topic.name, topic.partitions) for topic in topics]))

    def _otherwise(self, topics: list[Topic]) -> list[Topic]:
        """Those of which something else is set than wanted."""
        found = self.settings([topic.name for topic in topics])
        return [topic for topic in topics if not topic.config.items() <= found.get(topic.name, {}).items()]

    def _configure(self, topics: list[Topic]) -> None:
        if topics:
            futures = self._admin.incremental_alter_configs([_settings_of(topic) for topic in topics])
            self._wait({resource.name: future for resource, future in futures.items()})

    def _wait(self, futures: Mapping[str, "Future[None]"]) -> None:
        for name, future in futures.items():
            with _telling(name):
                future.result(_TIMEOUT_SECONDS)


def _settings_of(topic: Topic) -> ConfigResource:
    operation = AlterConfigOpType.SET
    entries = [ConfigEntry(key, value, incremental_operation=operation) for key, value in topic.config.items()]
    return ConfigResource("topic", topic.name, incremental_configs=entries)


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Raises StackError with the topic's name, unless somebody else was faster."""
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() not in {KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.UNKNOWN_TOPIC_OR_PART}:
            message = f"topic '{name}': {error.args[0].str()}"
            raise StackError(message, "see the broker's log", part="kafka") from error
