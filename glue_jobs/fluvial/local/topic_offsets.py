"""Which offsets of a topic the local broker holds."""

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from fluvial.io.broker_offsets import Bounds
from fluvial.local.broker import admin_client, asking

_TIMEOUT_SECONDS: Final = 10
_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class TopicOffsets:
    """A BrokerOffsets of the broker at an address."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._admin = admin_client(bootstrap_servers)

    def bounds(self, topics: Collection[str]) -> Mapping[str, Mapping[int, Bounds]]:
        """By topic and partition; a topic that isn't there is left out. Raises StackError where no broker answers."""
        with asking(self._servers):
            return self._bounds(topics)

    def topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """By topic, as text; a topic that isn't there is left out. Raises StackError where no broker answers."""
        with asking(self._servers):
            return self._topic_ids(topics)

    def _topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        names = TopicCollection(list(topics))
        answers = self._admin.describe_topics(names, request_timeout=_TIMEOUT_SECONDS)
        found: dict[str, str] = {}
        for topic, answer in answers.items():
            try:
                found[topic] = str(answer.result(_TIMEOUT_SECONDS).topic_id)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
        return found

    def _bounds(self, topics: Collection[str]) -> dict[str, dict[int, Bounds]]:
        known = self._admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        partitions = [
            TopicPartition(topic, number) for topic in topics if topic in known for number in known[topic].partitions
        ]
        if not partitions:
            return {}
        earliest, latest = self._ask(partitions, _EARLIEST), self._ask(partitions, _LATEST)
        found: dict[str, dict[int, Bounds]] = {}
        for place in partitions:
            first, end = (answers[place].result(_TIMEOUT_SECONDS).offset for answers in (earliest, latest))
            found.setdefault(place.topic, {})[place.partition] = Bounds(first, end)
        return found

    def _ask(self, partitions: Collection[TopicPartition], spec: OffsetSpec) -> Mapping[TopicPartition, "Future[Any]"]:
        answers: Mapping[TopicPartition, Future[Any]] = self._admin.list_offsets(
            dict.fromkeys(partitions, spec), request_timeout=_TIMEOUT_SECONDS
        )
        return answers
