"""One lane: its streaming query from Kafka into the lake writer, restarted with back-off while it is wanted."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fluvial.config.lanes import Lane
from fluvial.config.locations import Locations
from fluvial.io.broker_offsets import BrokerOffsets
from fluvial.io.checkpoints import find_damage, require_progress
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.offset_guard import OffsetGuard
from fluvial.io.pace import Pace
from fluvial.io.parked import OffsetRange
from fluvial.io.parked_retry import ParkedRetry
from fluvial.io.parking import Parking
from fluvial.io.query_offsets import PlannedBatch, read_planned
from fluvial.io.reason import reason
from fluvial.io.shares import PassedOver
from fluvial.io.state_files import LocalFiles
from fluvial.io.topic_ids import TopicIds

POLL_SECONDS: Final = 0.2
DRAIN_SECONDS: Final = 20.0
_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_log = structlog.get_logger()

Report = Callable[[str, str, int | None, str], None]
"""(lane, state, batch id, error): how a lane tells the world how it is."""


@dataclass
class LaneStream:
    """One streaming query for all topics of a lane.

    `kafka` are the source's options with the `kafka.` prefix; `starting` lets one lane after the other start its query,
    because PySpark would begin to listen for callbacks twice. A batch that fails is tried again with growing pauses:
    nothing is acknowledged before it is written or parked, so nothing is lost.
    """

    session: SparkSession
    lane: Lane
    locations: Locations
    kafka: Mapping[str, str]
    broker: BrokerOffsets
    report: Report
    stopping: threading.Event
    starting: threading.Lock
    is_drained: bool = field(default=True, init=False)
    _writer: LakeWriter | None = field(default=None, init=False)
    _progressed: bool = field(default=False, init=False)
    _failure: Exception | None = field(default=None, init=False)
    """Of the batch that ended the query; Spark hands on no more of it than a text, cut into pages."""

    def __post_init__(self) -> None:
        self._parking = Parking(LocalFiles(self.locations.parked), self.lane.name, self.lane.max_records_per_batch)
        self._topics = TopicIds(LocalFiles(self.locations.topics))
        self._pace = Pace(self.lane)

    def run(self) -> None:
        """Streams until `stopping` is set."""
        self._say("starting")
        pause = _FIRST_PAUSE_SECONDS
        while not self.stopping.is_set():
            error = self._run_query()
            if error is None:
                break
            error = find_damage(self._checkpoint) or error
            pause = _FIRST_PAUSE_SECONDS if self._progressed else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            _log.error("lane failed, trying again", lane=self.lane.name, error=error, pause_seconds=pause)
            self._say("failed", error=error)
            self.stopping.wait(pause)
        self._say("stopped")

    def tend(self) -> None:
        """What is due between batches: settling by age, and retries of parked tables."""
        writer, now = self._writer, datetime.now(UTC)
        if writer is not None and not self.stopping.is_set():
            writer.settle_due(now)
            retry = ParkedRetry(
                self.lane, writer, self._parking, self._read, self.broker, self._topics, self.stopping.is_set
            )
            retry.run(now)

    @property
    def _checkpoint(self) -> str:
        return self.locations.lane_checkpoint(self.lane.name)

    def _say(self, state: str, batch_id: int | None = None, error: str = "") -> None:
        self.report(self.lane.name, state, batch_id, error)

    def _run_query(self) -> str | None:
        """Runs one query to its end; what it failed with, or None where it was asked to stop."""
        self._progressed, self._failure = False, None
        started = threading.Event()
        queries: list[StreamingQuery] = []
        try:
            self._parking.mend((table.name for table in self.lane.use_case.tables), datetime.now(UTC))
            with self.starting:
                queries.append(self._start(started, queries))
            self._find_writer(str(queries[0].id))
            started.set()
            self._say("running")
            return self._await(queries[0])
        except Exception as error:  # noqa: BLE001 - whatever Spark refuses with, the lane tries again
            for query in queries:
                query.stop()
            return reason(error)

    def _find_writer(self, query_id: str) -> LakeWriter:
        """The writer of the query; a restarted query keeps its own, and with it what the retries hold."""
        if self._writer is None or self._writer.query_id != query_id:
            session = self.session if self.lane.is_main else self.session.newSession()
            self._writer = LakeWriter(
                session,
                self.lane.use_case,
                self.locations,
                query_id,
                parking=self._parking,
                is_behind=self._pace.is_behind,
            )
        return self._writer

    def _start(self, started: threading.Event, queries: Sequence[StreamingQuery]) -> StreamingQuery:
        def write(records: DataFrame, batch_id: int) -> None:
            started.wait()
            try:
                self._write(records, batch_id, queries[0])
            except Exception as error:
                self._failure = error
                raise

        name = f"fluvial-{self.lane.use_case.name}"
        return (
            self.session.readStream.format("kafka")
            .options(**self.kafka)
            .option("subscribe", ",".join(self.lane.topics))
            .option("startingOffsets", "earliest")
            # A gap in one topic may not end the query for all of them: OffsetGuard finds it, and stops that table.
            .option("failOnDataLoss", "false")
            .option("maxOffsetsPerTrigger", self.lane.max_records_per_batch)
            .load()
            .writeStream.foreachBatch(write)
            .queryName(name if self.lane.is_main else f"{name}-{self.lane.name}")
            .option("checkpointLocation", self._checkpoint)
            .trigger(processingTime=self.lane.trigger_interval)
            .start()
        )

    def _write(self, records: DataFrame, batch_id: int, query: StreamingQuery) -> None:
        self._pace.begin()
        writer = self._find_writer(str(query.id))
        if not self._progressed:
            require_progress(self.locations, self._checkpoint, writer.query_id, batch_id)
        guard = OffsetGuard(
            writer.session, self.lane, self.locations, self._parking, self.broker, self._topics, writer.clock
        )
        planned = read_planned(query)
        writer.write(records, batch_id, lambda: self._look(guard, planned), planned.sole_topic)
        guard.end()
        self._progressed = True
        self._say("running", batch_id)

    def _look(self, guard: OffsetGuard, planned: PlannedBatch) -> PassedOver:
        passed_over = guard.look(planned)
        self._pace.note(guard.ahead)
        return passed_over

    def _read(self, ranges: Sequence[OffsetRange]) -> DataFrame:
        firsts: dict[str, dict[str, int]] = {}
        ends: dict[str, dict[str, int]] = {}
        for each in ranges:
            firsts.setdefault(each.topic, {})[str(each.partition)] = each.first
            ends.setdefault(each.topic, {})[str(each.partition)] = each.end
        partitions = {topic: [int(number) for number in parts] for topic, parts in firsts.items()}
        return (
            self.session.read.format("kafka")
            .options(**self.kafka)
            .option("assign", json.dumps(partitions))
            .option("startingOffsets", json.dumps(firsts))
            .option("endingOffsets", json.dumps(ends))
            .option("failOnDataLoss", "true")
            .load()
        )

    def _await(self, query: StreamingQuery) -> str | None:
        try:
            while query.isActive:
                if self.stopping.wait(POLL_SECONDS):
                    self._drain(query)
                    return None
            query.awaitTermination(1)
        except StreamingQueryException as error:
            return reason(self._failure or error)
        return None

    def _drain(self, query: StreamingQuery) -> None:
        """Lets the running micro-batch end, for a while."""
        self._say("stopping")
        pause, waited = threading.Event(), 0.0
        while query.isActive and query.status["isTriggerActive"] and waited < DRAIN_SECONDS:
            pause.wait(POLL_SECONDS)
            waited += POLL_SECONDS
        self.is_drained = waited < DRAIN_SECONDS
        if self.is_drained:
            query.stop()
