from fluvial.compile.topics import Topic, clustered, compile_topics
from fluvial.config.model import UseCase


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


def test_on_a_cluster_a_write_is_safe_once_two_of_three_brokers_have_it(shop: UseCase) -> None:
    topic = clustered(compile_topics(shop)[0])

    assert (topic["replication_factor"], topic["config"]["min.insync.replicas"]) == (3, "2")
