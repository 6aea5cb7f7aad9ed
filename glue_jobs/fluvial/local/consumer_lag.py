"""How far the streaming job is behind the topics: Spark keeps its offsets in the checkpoint, not in Kafka."""

import json
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import StackError
from fluvial.local.home import Home

_TIMEOUT_SECONDS: Final = 10


def read_consumer_lag(use_case: UseCase, home: Home, bootstrap_servers: str) -> dict[str, int]:
    """Records of each topic that no finished micro-batch holds."""
    done = finished_offsets(Path(Locations(use_case, home.lake).checkpoint))
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "fluvial-health", "log_level": 0})
    try:
        return {table.topic: _lag(consumer, table.topic, done.get(table.topic, {})) for table in use_case.tables}
    except KafkaException as error:
        raise StackError(
            f"no Kafka broker answers at {bootstrap_servers}: {error.args[0].str()}",
            "see `fluvial status`, mend it with `fluvial up`",
            part="kafka",
        ) from error
    finally:
        consumer.close()


def _lag(consumer: Consumer, topic: str, done: dict[str, int]) -> int:
    partitions = consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
    lag = 0
    for partition in partitions:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_SECONDS)
        lag += max(0, end - max(first, done.get(str(partition), 0)))
    return lag


def finished_offsets(checkpoint: Path) -> dict[str, dict[str, int]]:
    """Offsets after the newest finished micro-batch of every query below the checkpoint, by topic and partition."""
    offsets: dict[str, dict[str, int]] = {}
    for commits in checkpoint.glob("**/commits"):
        finished = [int(path.name) for path in commits.iterdir() if path.name.isdecimal()]
        if finished:
            offsets |= _offsets_of(commits.parent / "offsets" / str(max(finished)))
    return offsets


def _offsets_of(batch: Path) -> dict[str, dict[str, int]]:
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    # A version, the batch's metadata, then one line for each source.
    sources = (json.loads(line) for line in lines[2:] if line.startswith("{"))
    return {topic: partitions for source in sources for topic, partitions in source.items()}
