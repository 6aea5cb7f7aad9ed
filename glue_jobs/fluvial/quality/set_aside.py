"""The records of a batch that go elsewhere than to the log, named by their place in Kafka.

They are few, as a rule. So the pass that judges a batch names their places, and only they are parsed a second time.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.streams import DEAD_LETTER, HAS_ERROR, KIND, BatchSummary

MOST_PLACES: Final = 20_000
"""Of more records than these it isn't worth while to name each."""
PLACES: Final = "places"


@dataclass(frozen=True)
class Places:
    """Offsets by partition, of one topic."""

    offsets: dict[int, list[int]]

    def __bool__(self) -> bool:
        return bool(self.offsets)


def can_set_aside(table: Table, summary: BatchSummary) -> bool:
    """Whether the places of a batch's quarantined events and dead letters tell enough to judge them alone."""
    number = summary.violated + summary.dead_letters
    return not number or (number <= MOST_PLACES and not any(rule.looks_at_batch for rule in table.dq_rules))


def set_aside() -> Column:
    """Aggregate over CheckedRecords: the places of those to quarantine and of dead letters, as one text."""
    place = F.concat_ws(":", c.PARTITION, c.OFFSET)
    found = F.collect_set(F.when(F.col(HAS_ERROR) | (F.col(KIND) == DEAD_LETTER), place))
    return F.array_join(F.slice(found, 1, MOST_PLACES), ",").alias(PLACES)


def read_places(text: str) -> Places:
    """Those that `set_aside` named."""
    offsets = defaultdict(list)
    for place in filter(None, text.split(",")):
        partition, offset = place.split(":")
        offsets[int(partition)].append(int(offset))
    return Places(dict(offsets))
