"""The stream of a use case: its lanes side by side, in one driver and one Spark session."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from pyspark.sql import SparkSession

from fluvial.config.lanes import lanes_of
from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.broker_offsets import BrokerOffsets
from fluvial.io.lane_stream import DRAIN_SECONDS, POLL_SECONDS, LaneStream, Report
from fluvial.io.reason import reason

_log = structlog.get_logger()


@dataclass
class LakeStream:
    """One streaming query for each lane, and beside it a thread that tends the lane's tables between batches."""

    session: SparkSession
    use_case: UseCase
    locations: Locations
    kafka: Mapping[str, str]
    broker: BrokerOffsets
    report: Report
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def stop(self) -> None:
        """Asks each lane to end after its micro-batch; only sets a flag, so a signal handler may call it."""
        self._stopping.set()

    def run(self) -> bool:
        """Streams until `stop`; whether every running micro-batch could end. If not, the process should just exit.

        Such a batch can't be interrupted from outside; the next start does it again, which changes nothing twice.
        """
        lanes = self._lanes()
        running = [threading.Thread(target=lane.run, name=f"lane-{lane.lane.name}", daemon=True) for lane in lanes]
        tending = [threading.Thread(target=self._tend, args=(lane,), daemon=True) for lane in lanes]
        for thread in (*running, *tending):
            thread.start()
        for thread in running:
            thread.join()
        self._stopping.set()
        for thread in tending:
            thread.join(DRAIN_SECONDS)
        return all(lane.is_drained for lane in lanes) and not any(thread.is_alive() for thread in tending)

    def _lanes(self) -> list[LaneStream]:
        stopping, starting = self._stopping, threading.Lock()
        return [
            LaneStream(self.session, lane, self.locations, self.kafka, self.broker, self.report, stopping, starting)
            for lane in lanes_of(self.use_case)
        ]

    def _tend(self, lane: LaneStream) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                lane.tend()
            except Exception as error:  # noqa: BLE001 - what can't be tended now can be a moment later
                _log.error("lane not tended", lane=lane.lane.name, error=reason(error))
