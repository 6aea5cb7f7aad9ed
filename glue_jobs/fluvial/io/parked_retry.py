"""Brings parked tables back: what waits is read from Kafka once more, share by share, through the usual writers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame

from fluvial.config.lanes import Lane
from fluvial.errors import CircuitOpenError
from fluvial.io.broker_offsets import Bounds, BrokerOffsets, advice, find_gap, held_ranges
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.parked import OffsetRange, Share
from fluvial.io.parking import Parking
from fluvial.io.reason import reason
from fluvial.io.topic_ids import TopicIds

ReadRanges = Callable[[Sequence[OffsetRange]], DataFrame]
"""The Kafka records of these offsets, with the columns that the stream has; fails where some are missing."""


@dataclass(frozen=True)
class ParkedRetry:
    """Retries of one lane; `is_stopping` is asked between two shares."""

    lane: Lane
    writer: LakeWriter
    parking: Parking
    read: ReadRanges
    broker: BrokerOffsets
    topics: TopicIds
    is_stopping: Callable[[], bool] = lambda: False

    def run(self, now: datetime) -> None:
        """Tries the oldest share of every table that is due; the next one is due at once when it is written."""
        for name in self.parking.due([table.name for table in self.lane.use_case.tables], now):
            if not self.is_stopping() and (share := self.parking.begin(name)) is not None:
                self._try(name, share)

    def _try(self, name: str, share: Share) -> None:
        try:
            if gap := self._gap(name, share):
                self.parking.stop(name, f"{gap}; {advice(name)}", self.writer.clock())
                return
            self._write(name, share)
        except CircuitOpenError as error:
            self.parking.open_circuit(name, reason(error), self.writer.clock())
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the table stays parked and is tried again
            self.parking.fail(name, reason(error), self.writer.clock())
            return
        self.parking.advance(name, self.writer.clock())

    def _write(self, name: str, share: Share) -> None:
        accepts_gap = self._accepts_gap(name)
        ranges = held_ranges(share.ranges, self._bounds(share)) if accepts_gap else share.ranges
        if ranges:
            table, expected = self.lane.use_case.table(name), None if accepts_gap else share.records
            self.writer.write_share(table, self.read(ranges), share, expected, accepts_bad=self._accepts_bad(name))

    def _gap(self, name: str, share: Share) -> str:
        if self._accepts_gap(name):
            return ""
        bounds = self._bounds(share)
        firsts = ((each.topic, {each.partition: each.first}) for each in share.ranges)
        ends = ((each.topic, {each.partition: each.end}) for each in share.ranges)
        gaps = [find_gap(topic, wanted, bounds.get(topic)) for topic, wanted in (*firsts, *ends)]
        found = dict.fromkeys(gap for gap in gaps if gap) or dict.fromkeys(self._anew(share))
        return "; ".join(found)

    def _anew(self, share: Share) -> Iterator[str]:
        """The topics of a share that aren't those any more that it was found in."""
        topics = {each.topic for each in share.ranges}
        ids = self.broker.topic_ids(topics)
        yield from filter(None, (self.topics.find_gap(topic, ids.get(topic)) for topic in sorted(topics)))

    def _accepts_gap(self, name: str) -> bool:
        parked = self.parking.find(name)
        return parked is not None and parked.accepts_gap

    def _accepts_bad(self, name: str) -> bool:
        parked = self.parking.find(name)
        return parked is not None and parked.accepts_bad

    def _bounds(self, share: Share) -> Mapping[str, Mapping[int, Bounds]]:
        return self.broker.bounds({each.topic for each in share.ranges})
