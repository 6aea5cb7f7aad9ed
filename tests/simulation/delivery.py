"""From what a connector sends to what a consumer reads: re-sent spans, partitions, delays, repairs, noise."""

from random import Random
from typing import NamedTuple

from tests.simulation.source import Change

EVENT, TOMBSTONE, CONTROL, GARBAGE = range(4)


class Record(NamedTuple):
    """A Kafka record; only an EVENT carries a change."""

    partition: int
    offset: int
    kind: int
    change: Change | None = None


def deliver(random: Random, sent: list[Change]) -> list[Record]:
    """Records in the order a consumer meets them."""
    payloads = _with_noise(random, _with_repairs(random, _with_restarts(random, sent)))
    records = [Record(_partition(payload), number, *payload) for number, payload in enumerate(payloads)]
    order = random.random()
    if order < 0.35:
        return records
    if order < 0.65:
        return _merge_partitions(random, records)
    random.shuffle(records)
    return records


def _with_restarts(random: Random, sent: list[Change]) -> list[Change]:
    result = list(sent)
    for _ in range(int(random.random() * 3)):
        end = int(random.random() * len(result))
        start = max(0, end - int(random.random() * 8))
        result[end:end] = result[start:end]
    return result


def _with_repairs(random: Random, sent: list[Change]) -> list[Change]:
    """Quarantined events come once more, some as they were (a rule was relaxed), some with a good value."""
    bad = [change for change in sent if change.is_bad]
    return sent + [change._replace(a=7) for change in bad if random.random() < 0.4]


def _with_noise(random: Random, sent: list[Change]) -> list[tuple[int, Change | None]]:
    payloads: list[tuple[int, Change | None]] = []
    for change in sent:
        payloads.append((EVENT, change))
        if change.operation == "DELETE" and random.random() < 0.5:
            payloads.append((TOMBSTONE, None))
        elif random.random() < 0.03:
            payloads.append((CONTROL if random.random() < 0.5 else GARBAGE, None))
    return payloads


def _partition(payload: tuple[int, Change | None]) -> int:
    change = payload[1]
    return 0 if change is None or change.key is None else change.key % 2


def _merge_partitions(random: Random, records: list[Record]) -> list[Record]:
    rest = ([record for record in records if record.partition == 0], [record for record in records if record.partition])
    merged: list[Record] = []
    cursors = [0, 0]
    while len(merged) < len(records):
        side = int(random.random() * 2)
        take = 1 + int(random.random() * 5)
        merged += rest[side][cursors[side] : cursors[side] + take]
        cursors[side] += take
    return merged
