"""From where to where a query's running micro-batch reads, as Spark planned it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql.streaming.query import StreamingQuery

Offsets = Mapping[str, Mapping[int, int]]
"""By topic and partition."""


@dataclass(frozen=True)
class SoleTopic:
    """The only topic that a micro-batch reads; offsets may be missing, so its records are `most_records` or fewer."""

    name: str
    most_records: int


@dataclass(frozen=True)
class PlannedBatch:
    """`first` is empty where no micro-batch of the query has ended yet; `end` isn't included."""

    first: Offsets
    end: Offsets

    @property
    def sole_topic(self) -> SoleTopic | None:
        """The one topic with records to read; None for several, for none, and where offsets went backwards."""
        lengths = {
            topic: [end - self._first(topic, number) for number, end in self.end[topic].items()] for topic in self.end
        }
        if any(length < 0 for each in lengths.values() for length in each):
            return None
        read = [SoleTopic(topic, sum(each)) for topic, each in lengths.items() if any(each)]
        return read[0] if len(read) == 1 else None

    def _first(self, topic: str, partition: int) -> int:
        """Zero of a partition that is new: no offset is lower."""
        return self.first.get(topic, {}).get(partition, 0)


def read_planned(query: StreamingQuery) -> PlannedBatch:
    """The plan of the micro-batch the query is in."""
    execution: Any = query._jsq.streamingQuery()  # noqa: SLF001 - foreachBatch is told the number only
    return PlannedBatch(_offsets(execution.committedOffsets()), _offsets(execution.availableOffsets()))


def _offsets(progress: Any) -> Offsets:
    if progress.isEmpty():
        return {}
    found: dict[str, dict[str, int]] = json.loads(progress.values().head().json())
    return {topic: {int(number): offset for number, offset in parts.items()} for topic, parts in found.items()}
