import pytest

from fluvial.compile.topics import Topic
from fluvial.local.live_differences import topic_differences

WEEK = Topic("cdc-orders", 2, {"cleanup.policy": "delete", "retention.ms": "604800000"})


@pytest.mark.parametrize(
    ("partitions", "cleanup", "retention", "expected"),
    [
        (None, "", "", ["doesn't exist yet: 2 partitions"]),
        (2, "delete", "604800000", []),
        (1, "delete", "604800000", ["grows from 1 to 2 partitions"]),
        (3, "delete", "604800000", ["has 3 partitions, configured are 2: a topic never shrinks"]),
        (2, "delete", "43200000", ["keeps records for 7 days instead of 0.5"]),
        (2, "delete", "1209600000", ["keeps records for 7 days instead of 14: older ones are deleted, read or not"]),
        (2, "delete", "-1", ["keeps records for 7 days instead of all: older ones are deleted, read or not"]),
        (2, "compact", "604800000", ["cleanup.policy compact becomes delete"]),
    ],
)
def test_a_topic_that_is_otherwise_is_told_with_what_changes(
    partitions: int | None, cleanup: str, retention: str, expected: list[str]
) -> None:
    settings = {"cleanup.policy": cleanup, "retention.ms": retention, "segment.ms": "1"}
    assert [found.what for found in topic_differences(WEEK, partitions, settings)] == expected
