"""The streaming query: Kafka into the lake writer, restarted with back-off for as long as it is wanted."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.io.lake_writer import LakeWriter

_POLL_SECONDS: Final = 0.2
_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_DRAIN_SECONDS: Final = 20.0
_log = structlog.get_logger()

Report = Callable[[str, int | None, str], None]
"""(state, batch id, error): how the stream tells the world how it is."""


@dataclass
class LakeStream:
    """One streaming query for all topics of a use case.

    `kafka` are the source's options with the `kafka.` prefix. A batch that fails is tried again with growing pauses:
    nothing is acknowledged before it is written, so nothing is lost.
    """

    session: SparkSession
    use_case: UseCase
    locations: Locations
    kafka: Mapping[str, str]
    report: Report
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _writer: LakeWriter | None = field(default=None, init=False)
    _progressed: bool = field(default=False, init=False)
    _is_drained: bool = field(default=True, init=False)

    def stop(self) -> None:
        """Asks the stream to end after the micro-batch it is in; only sets a flag, so a signal handler may call it."""
        self._stopping.set()

    def run(self) -> bool:
        """Streams until `stop`; whether the last micro-batch could end. If not, the process should just exit.

        Such a batch can't be interrupted from outside; the next start does it again, which changes nothing twice.
        """
        self.report("starting", None, "")
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            error = self._run_query()
            if error is None:
                break
            pause = _FIRST_PAUSE_SECONDS if self._progressed else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            _log.error("stream failed, trying again", error=error, pause_seconds=pause)
            self.report("failed", None, error)
            self._stopping.wait(pause)
        self.report("stopped", None, "")
        return self._is_drained

    def _run_query(self) -> str | None:
        """Runs one query to its end; the error's first line, or None where it was asked to stop."""
        self._progressed = False
        started = threading.Event()
        try:
            query = self._start(started)
        except Exception as error:  # noqa: BLE001 - whatever Spark refuses with, the stream tries again
            return _first_line(str(error))
        self._writer = LakeWriter(self.session, self.use_case, self.locations, str(query.id))
        started.set()
        self.report("running", None, "")
        return self._await(query)

    def _start(self, started: threading.Event) -> StreamingQuery:
        def write(records: DataFrame, batch_id: int) -> None:
            started.wait()
            self._write(records, batch_id)

        return (
            self.session.readStream.format("kafka")
            .options(**self.kafka)
            .option("subscribe", ",".join(table.topic for table in self.use_case.tables))
            .option("startingOffsets", "earliest")
            .option("failOnDataLoss", "true")
            .option("maxOffsetsPerTrigger", self.use_case.settings.max_records_per_batch)
            .load()
            .writeStream.foreachBatch(write)
            .queryName(f"fluvial-{self.use_case.name}")
            .option("checkpointLocation", self.locations.checkpoint)
            .trigger(processingTime=self.use_case.settings.trigger_interval)
            .start()
        )

    def _write(self, records: DataFrame, batch_id: int) -> None:
        if self._writer is None:
            raise RuntimeError("a batch came before its query was known")
        self._writer.write(records, batch_id)
        self._progressed = True
        self.report("running", batch_id, "")

    def _await(self, query: StreamingQuery) -> str | None:
        try:
            while query.isActive:
                if self._stopping.wait(_POLL_SECONDS):
                    self._drain(query)
                    return None
                if self._writer is not None:
                    self._writer.settle_due(datetime.now(UTC))
            query.awaitTermination(1)
        except StreamingQueryException as error:
            return _first_line(_cause(str(error)))
        return None

    def _drain(self, query: StreamingQuery) -> None:
        """Lets the running micro-batch end, for a while."""
        self.report("stopping", None, "")
        pause, waited = threading.Event(), 0.0
        while query.isActive and query.status["isTriggerActive"] and waited < _DRAIN_SECONDS:
            pause.wait(_POLL_SECONDS)
            waited += _POLL_SECONDS
        self._is_drained = waited < _DRAIN_SECONDS
        if self._is_drained:
            query.stop()


def _cause(text: str) -> str:
    """The message of our own error inside the one that py4j wraps around it."""
    _, found, rest = text.partition("fluvial.errors.")
    return rest if found else text


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")
