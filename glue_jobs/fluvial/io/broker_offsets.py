"""What the broker still holds of a topic, held against what was read: a gap must never pass for an empty stretch."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from fluvial.io.parked import OffsetRange

Positions = Mapping[int, int]
"""The next offset to read, by partition."""


@dataclass(frozen=True)
class Bounds:
    """Offsets of a partition that the broker holds: from `first` up to and without `end`."""

    first: int
    end: int


class BrokerOffsets(Protocol):
    """Asks the broker."""

    def bounds(self, topics: Collection[str]) -> Mapping[str, Mapping[int, Bounds]]:
        """By topic and partition; a topic that isn't there is left out."""

    def topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """By topic, the id that Kafka gave it when it was made; a topic that isn't there is left out."""


@dataclass
class FixedOffsets:
    """A fake broker that holds what it is told."""

    topics: dict[str, dict[int, Bounds]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def bounds(self, topics: Collection[str]) -> Mapping[str, Mapping[int, Bounds]]:
        """What it was told of these topics."""
        return {topic: self.topics[topic] for topic in topics if topic in self.topics}

    def topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """What it was told of these topics."""
        return {topic: self.ids[topic] for topic in topics if topic in self.ids}


def find_gap(topic: str, wanted: Positions, bounds: Mapping[int, Bounds] | None) -> str:
    """What is missing between the positions to read from and what the broker holds; "" where nothing is."""
    if bounds is None:
        return f"topic {topic} is gone" if wanted else ""
    losses = (_loss(topic, partition, position, bounds) for partition, position in sorted(wanted.items()))
    return "; ".join(loss for loss in losses if loss)


def count_ahead(end: Mapping[str, Positions], bounds: Mapping[str, Mapping[int, Bounds]]) -> int:
    """How many records the broker holds that come after these ends; of a partition that has none, all."""
    return sum(
        max(held.end - max(end.get(topic, {}).get(partition, 0), held.first), 0)
        for topic, partitions in bounds.items()
        for partition, held in partitions.items()
    )


def from_zero(first: Positions, bounds: Mapping[int, Bounds] | None) -> Positions:
    """The positions, and 0 in each partition that is newer than they."""
    return dict.fromkeys(bounds or (), 0) | dict(first)


def find_skipped(
    topic: str, first: Positions, end: Positions, bounds: Mapping[int, Bounds], *, is_anew: bool = False
) -> list[OffsetRange]:
    """Offsets of a topic made anew that a query goes past: it knows the old topic's end, and reads from there.

    A partition that ends before its position tells that by itself; with `is_anew` it holds for all of them.
    """
    reached = {partition: min(end.get(partition, 0), position) for partition, position in sorted(first.items())}
    return [
        OffsetRange(topic, partition, bounds[partition].first, last)
        for partition, last in reached.items()
        if partition in bounds and bounds[partition].first < last and (is_anew or last < first[partition])
    ]


def held_ranges(ranges: Iterable[OffsetRange], bounds: Mapping[str, Mapping[int, Bounds]]) -> tuple[OffsetRange, ...]:
    """What the broker still holds of some ranges."""
    held = ((each, bounds.get(each.topic, {}).get(each.partition, Bounds(0, 0))) for each in ranges)
    cut = (replace(each, first=max(each.first, has.first), end=min(each.end, has.end)) for each, has in held)
    return tuple(each for each in cut if each.first < each.end)


def advice(table: str) -> str:
    """What to do about a gap."""
    return (
        f"take a new snapshot of {table} or accept the gap, then `fluvial down`, `fluvial parked resume {table}`, "
        "`fluvial up`"
    )


def _loss(topic: str, partition: int, position: int, bounds: Mapping[int, Bounds]) -> str:
    held = bounds.get(partition)
    if held is None:
        return f"{topic} has lost partition {partition}"
    if held.end < position:
        return f"{topic} was made anew: partition {partition} ends at {held.end}, and {position} was to come next"
    if held.first > position:
        return f"{OffsetRange(topic, partition, position, held.first)} are gone before anybody read them"
    return ""
