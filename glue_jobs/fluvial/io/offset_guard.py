"""Stops the tables of a lane whose topic has lost records, or was made anew, before the stream goes past the gap."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.lanes import Lane
from fluvial.config.locations import Locations
from fluvial.config.model import Table
from fluvial.io import delta
from fluvial.io.broker_offsets import BrokerOffsets, Positions, advice, find_gap, find_skipped
from fluvial.io.parked import OffsetRange
from fluvial.io.parking import Parking
from fluvial.io.query_offsets import PlannedBatch
from fluvial.io.shares import PassedOver

_log = structlog.get_logger()


@dataclass(frozen=True)
class OffsetGuard:
    """Looks at each micro-batch of one lane; Spark itself would either end the query for all tables, or say nothing."""

    session: SparkSession
    lane: Lane
    locations: Locations
    parking: Parking
    broker: BrokerOffsets
    clock: Callable[[], datetime]

    def look(self, planned: PlannedBatch) -> PassedOver:
        """Stops what has to be stopped. To be called with the batch's records in hand: what goes later goes unneeded.

        Returns, by topic, what the query has gone past and would never read.
        """
        bounds = self.broker.bounds(self.lane.topics)
        passed_over: dict[str, list[OffsetRange]] = {}
        for table in self.lane.use_case.tables:
            first = planned.first.get(table.topic)
            wanted = first if first is not None else self._logged(table)
            if not self._is_stopped(table) and (gap := find_gap(table.topic, wanted, bounds.get(table.topic))):
                self.parking.stop(table.name, f"{gap}; {advice(table.name)}", self.clock())
            if first and (held := bounds.get(table.topic)):
                skipped = find_skipped(table.topic, first, planned.end.get(table.topic, {}), held)
                passed_over |= {table.topic: skipped} if skipped else {}
        return passed_over

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
