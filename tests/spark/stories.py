"""One small story for each kind of operation, told in three micro-batches, each with keys of its own."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from tests.oracle.fold import Event
from tests.simulation.delivery import EVENT, GARBAGE, TOMBSTONE, Record
from tests.simulation.source import ABSENT, UNCHANGED, Change
from tests.spark.packs import Message, events_of, value_of

TABLE: Final = "renewed"
Told = Sequence[Sequence[Change]]


def put(lsn: int, a: int, b: int = 1, *, operation: str = "UPDATE", key: int = 0, **fields: Any) -> Change:
    return Change(key, 0, lsn, operation, fields.pop("time", lsn), a, b, **fields)


def gone(lsn: int, key: int = 0) -> Change:
    return Change(key, 0, lsn, "DELETE", lsn)


def truncate(lsn: int) -> Change:
    return Change(None, 0, lsn, "TRUNCATE", lsn)


STORIES: Final[Mapping[str, Told]] = {
    "insert and update": ([put(20, 1, operation="INSERT")], [put(30, 2)], [put(40, 3), put(41, 4)]),
    "delete and insert again": ([put(20, 1)], [gone(30)], [put(40, 1, operation="INSERT")]),
    "delete before insert": ([gone(30)], [put(20, 1, operation="INSERT")], [put(40, 2)]),
    "late updates": ([put(40, 3)], [put(30, 2)], [put(20, 1)]),
    "key change": (
        [put(20, 1)],
        [gone(30), put(30, 1, operation="INSERT", key=1)],
        [gone(40, 1), put(40, 1, operation="INSERT")],
    ),
    "unchanged TOAST, resolved late": ([put(20, 1)], [put(40, 3, b_kind=UNCHANGED)], [put(30, 2, b=2)]),
    "column dropped and added": ([put(20, 1)], [put(30, 2, b_kind=ABSENT)], [put(40, 3, b=3)]),
    "violation and repair": ([put(20, 1), put(30, -1)], [put(40, -1), put(50, 2)], [put(30, 7)]),
    "delivered again": ([put(20, 1)], [put(20, 1), put(30, 2)], [put(30, 2), put(20, 1)]),
    "conflict": ([put(20, 1)], [put(30, 2)], [put(30, 3), gone(20)]),
    "clock that runs backwards": ([put(20, 1, time=90)], [put(30, 2, time=40)], [put(40, 3, time=40)]),
    "truncate": ([put(20, 1)], [truncate(25)], [truncate(18), put(40, 2)]),
    "complete snapshot": (
        [put(97, 1, operation="READ"), put(97, 2, operation="READ", key=1, ends_snapshot=True)],
        [put(30, 2)],
        [gone(31, 1)],
    ),
    "new slot": (
        [put(20, 1), put(21, 1, key=1)],
        [put(35, 2, operation="READ", ends_snapshot=True)._replace(epoch=1)],
        [put(22, 2, key=1), put(19, 3)._replace(epoch=1)],
    ),
    "snapshot row": ([put(99, 1, operation="READ")], [put(30, 2)], [put(98, 4, operation="READ", key=1)]),
}
"""By what happens in them; the truncates and the new slot end the rows of all."""
BATCHES: Final = 3


def tell(seed: int) -> list[tuple[list[Message], list[Event]]]:
    """The three micro-batches of all stories at once; seed 0 tells them as written, others deal the events anew."""
    random = Random(seed)
    batches: list[list[tuple[int, Record]]] = [[] for _ in range(BATCHES)]
    for number, story in enumerate(STORIES.values()):
        for place, changes in enumerate(story):
            batch = batches[place if seed == 0 else random.randrange(BATCHES)]
            batch += [(number, Record(0, 0, EVENT, change)) for change in changes]
    for place, batch in enumerate(batches):
        # Every write has something to do in every batch.
        bad = Record(0, 0, EVENT, put(20 + place, -1))
        batch += [(len(STORIES), bad), (0, Record(0, 0, GARBAGE)), (0, Record(0, 0, TOMBSTONE))]
        random.shuffle(batch)
    return [_delivered(number * 1000, batch) for number, batch in enumerate(batches)]


def _delivered(first: int, batch: Sequence[tuple[int, Record]]) -> tuple[list[Message], list[Event]]:
    messages = [
        Message(TABLE, first + number, value_of(TABLE, seed, record)) for number, (seed, record) in enumerate(batch)
    ]
    told = (events_of(TABLE, seed, record.change) for seed, record in batch if record.change is not None)
    return messages, [event for events in told for event in events]
