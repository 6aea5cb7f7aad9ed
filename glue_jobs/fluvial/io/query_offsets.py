"""From where to where a query's running micro-batch reads, as Spark planned it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql.streaming.query import StreamingQuery

Offsets = Mapping[str, Mapping[int, int]]
"""By topic and partition."""


@dataclass(frozen=True)
class PlannedBatch:
    """`first` is empty where no micro-batch of the query has ended yet; `end` isn't included."""

    first: Offsets
    end: Offsets


def read_planned(query: StreamingQuery) -> PlannedBatch:
    """The plan of the micro-batch the query is in."""
    execution: Any = query._jsq.streamingQuery()  # noqa: SLF001 - foreachBatch is told the number only
    return PlannedBatch(_offsets(execution.committedOffsets()), _offsets(execution.availableOffsets()))


def _offsets(progress: Any) -> Offsets:
    if progress.isEmpty():
        return {}
    found: dict[str, dict[str, int]] = json.loads(progress.values().head().json())
    return {topic: {int(number): offset for number, offset in parts.items()} for topic, parts in found.items()}
