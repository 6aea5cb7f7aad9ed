import pytest
from pydantic import ValidationError

from fluvial.compile.dms_settings import compile_target_endpoint
from fluvial.compile.topics import Topic, clustered, compile_topics
from fluvial.config.model import UseCase
from fluvial.config.settings import Kafka


def test_every_table_gets_one_topic_that_keeps_every_event_for_seven_days_and_takes_long_ones(shop: UseCase) -> None:
    kept = {"cleanup.policy": "delete", "retention.ms": "604800000", "max.message.bytes": "67108864"}

    assert compile_topics(shop) == (Topic("cdc-orders", 1, kept), Topic("shop.lines", 1, kept))


def test_a_table_may_have_more_partitions_than_the_others(shop: UseCase) -> None:
    lines = shop.tables[1].model_copy(update={"partitions": 12})
    kafka = shop.kafka.model_copy(update={"partitions": 3, "retention_days": 1})
    wide = shop.model_copy(update={"kafka": kafka, "tables": (shop.tables[0], lines)})

    assert [(topic.partitions, topic.config["retention.ms"]) for topic in compile_topics(wide)] == [
        (3, "86400000"),
        (12, "86400000"),
    ]


def test_topics_and_dms_take_records_as_large_as_configured(shop: UseCase) -> None:
    small = shop.model_copy(update={"kafka": Kafka(bootstrap_servers="b:1", largest_record="8 MB")})

    assert {topic.config["max.message.bytes"] for topic in compile_topics(small)} == {"8000000"}
    assert compile_target_endpoint(small)["KafkaSettings"]["MessageMaxBytes"] == 8_000_000


def test_a_record_may_not_be_larger_than_what_the_capture_sends() -> None:
    assert Kafka(bootstrap_servers="b:1", largest_record="65536KiB").largest_record == "65536KiB"
    with pytest.raises(ValidationError, match="a record of 65MiB is more than 64MiB"):
        Kafka(bootstrap_servers="b:1", largest_record="65MiB")


def test_on_a_cluster_a_write_is_safe_once_two_of_three_brokers_have_it(shop: UseCase) -> None:
    topic = clustered(compile_topics(shop)[0])

    assert (topic["replication_factor"], topic["config"]["min.insync.replicas"]) == (3, "2")
