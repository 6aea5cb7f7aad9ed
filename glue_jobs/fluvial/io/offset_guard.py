"""Stops the tables of a lane whose topic has lost records, or was made anew, before the stream goes past the gap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.lanes import Lane
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.io import delta
from fluvial.io.broker_offsets import (
    Bounds,
    BrokerOffsets,
    Positions,
    advice,
    count_ahead,
    find_gap,
    find_skipped,
    from_zero,
)
from fluvial.io.parked import OffsetRange
from fluvial.io.parking import Parking
from fluvial.io.query_offsets import PlannedBatch
from fluvial.io.shares import PassedOver
from fluvial.io.topic_ids import TopicIds

_log = structlog.get_logger()


@dataclass
class OffsetGuard:
    """Looks at one micro-batch of one lane; Spark itself would either end the query for all tables, or say nothing."""

    session: SparkSession
    lane: Lane
    locations: Locations
    parking: Parking
    broker: BrokerOffsets
    topics: TopicIds
    clock: Callable[[], datetime]
    ahead: int = field(default=0, init=False)
    """How many records of the lane come after the micro-batch, as of the last look."""
    _seen: Mapping[str, str] = field(default_factory=dict, init=False)

    def look(self, planned: PlannedBatch) -> PassedOver:
        """Stops what has to be stopped. To be called with the batch's records in hand: what goes later goes unneeded.

        Returns, by topic, what the query has gone past and would never read.
        """
        bounds, self._seen = self.broker.bounds(self.lane.topics), self.broker.topic_ids(self.lane.topics)
        self.ahead = count_ahead(planned.end, bounds)
        passed_over: dict[str, list[OffsetRange]] = {}
        for table in self.lane.use_case.tables:
            first, held = planned.first.get(table.topic), bounds.get(table.topic)
            if not self._is_stopped(table) and (gap := self._find_gap(table, first, held)):
                self.parking.stop(table.name, f"{gap}; {advice(table.name)}", self.clock())
            if first and held:
                end, is_anew = planned.end.get(table.topic, {}), self._is_anew(table)
                skipped = find_skipped(table.topic, first, end, held, is_anew=is_anew)
                passed_over |= {table.topic: skipped} if skipped else {}
        return passed_over

    def end(self) -> None:
        """Notes which topics the batch was read from. To be called once all that was passed over is written down."""
        self.topics.note(self._seen)

    def _find_gap(self, table: Table, first: Positions | None, held: Mapping[int, Bounds] | None) -> str:
        if first is None:
            return find_gap(table.topic, self._logged(table), held)
        gap = find_gap(table.topic, from_zero(first, held), held)
        return gap or self.topics.find_gap(table.topic, self._seen.get(table.topic))

    def _is_anew(self, table: Table) -> bool:
        return self.topics.is_other(table.topic, self._seen.get(table.topic))

    def _is_stopped(self, table: Table) -> bool:
        parked = self.parking.find(table.name)
        return parked is not None and bool(parked.stop)

    def _logged(self, table: Table) -> Positions:
        """Behind the newest records of the log: a checkpoint that knows nothing of the topic starts at its earliest."""
        log = delta.read_if_exists(self.session, self.locations.table(table).log)
        if log is None:
            return {}
        newest = log.where(F.col(c.TOPIC) == table.topic).groupBy(c.PARTITION).agg(F.max(c.OFFSET)).collect()
        if newest:
            _log.warning("the checkpoint is new and the log is not: duplicates are expected", table=table.name)
        return {row[0]: row[1] + 1 for row in newest}
