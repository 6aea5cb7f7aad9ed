"""How far the streaming job is behind the topics: Spark keeps its offsets in the checkpoint, not in Kafka."""

import json
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from fluvial.config.lanes import lanes_of
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.parking import read_parked_tables
from fluvial.local.broker import asking
from fluvial.local.home import Home

_TIMEOUT_SECONDS: Final = 10


def read_consumer_lag(use_case: UseCase, home: Home, bootstrap_servers: str) -> dict[str, int]:
    """Records of each topic that no finished micro-batch holds, and those that wait for a parked table."""
    done, waiting = finished_by_topic(use_case, home), waiting_records(use_case, home)
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "fluvial-health", "log_level": 0})
    try:
        with asking(bootstrap_servers):
            return {
                table.topic: _lag(consumer, table.topic, done.get(table.topic, {})) + waiting.get(table.name, 0)
                for table in use_case.tables
            }
    finally:
        consumer.close()


def waiting_records(use_case: UseCase, home: Home) -> dict[str, int]:
    """Records that wait for each parked table."""
    return {parked.table: parked.waiting for parked in read_parked_tables(Locations(use_case, home.lake).parked)}


def finished_by_topic(use_case: UseCase, home: Home) -> dict[str, dict[str, int]]:
    """By topic; each from the checkpoint of the lane that reads it now."""
    locations, done = Locations(use_case, home.lake), dict[str, dict[str, int]]()
    for lane in lanes_of(use_case):
        found = finished_offsets(Path(locations.lane_checkpoint(lane.name)))
        done |= {topic: found[topic] for topic in lane.topics if topic in found}
    return done


def _lag(consumer: Consumer, topic: str, done: dict[str, int]) -> int:
    partitions = consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
    lag = 0
    for partition in partitions:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_SECONDS)
        lag += max(0, end - max(first, done.get(str(partition), 0)))
    return lag


def finished_offsets(checkpoint: Path) -> dict[str, dict[str, int]]:
    """Offsets after the newest finished micro-batch of a query, by topic and partition."""
    finished = [int(path.name) for path in (checkpoint / "commits").glob("*") if path.name.isdecimal()]
    return _offsets_of(checkpoint / "offsets" / str(max(finished))) if finished else {}


def _offsets_of(batch: Path) -> dict[str, dict[str, int]]:
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    # A version, the batch's metadata, then one line for each source.
    sources = (json.loads(line) for line in lines[2:] if line.startswith("{"))
    return {topic: partitions for source in sources for topic, partitions in source.items()}
