from fluvial.compile.topics import Topic, compile_topics
from fluvial.config.model import UseCase


def test_every_table_gets_one_topic_that_keeps_every_event_for_seven_days(shop: UseCase) -> None:
    kept = {"cleanup.policy": "delete", "retention.ms": "604800000"}

    assert compile_topics(shop) == (Topic("cdc-orders", 1, kept), Topic("shop.lines", 1, kept))
