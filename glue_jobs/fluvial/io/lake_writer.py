"""One micro-batch of many topics into the lake: tables side by side, a failing one without harm to the others."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

import structlog
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.errors import StorageError
from fluvial.io import delta
from fluvial.io.dead_letters import UNROUTED, DeadLetterCounts, write_dead_letters
from fluvial.io.failpoints import Failpoints
from fluvial.io.session import suit_batch_size
from fluvial.io.table_writer import CheckedBatch, TableWriter
from fluvial.metrics.analyzers import Measurement
from fluvial.quality.split import unrouted_rows
from fluvial.streams import BatchContext, Records, TableCounts

_WRITERS: Final = 2
_BATCHES_SCHEMA: Final = (
    "table string, query_id string, batch_id bigint, consumed bigint, log_rows bigint, quarantined bigint, "
    "dead_letters bigint, control_messages bigint, tombstones bigint, duplicates bigint, "
    "min_commit_time timestamp, max_commit_time timestamp, processed_at timestamp"
)
_METRICS_SCHEMA: Final = (
    "use_case string, table string, query_id string, batch_id bigint, metric string, column string, value double, "
    "threshold double, severity string, is_breach boolean, measured_at timestamp"
)
_log = structlog.get_logger()


@dataclass
class LakeWriter:
    """Writes micro-batches of one use case; `clock` gives the processing time in UTC."""

    session: SparkSession
    use_case: UseCase
    locations: Locations
    query_id: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    failpoints: Failpoints = field(default_factory=Failpoints)
    totals: dict[str, TableCounts] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._writers = {
            table.name: TableWriter(
                self.session,
                table,
                self.locations.table(table),
                self.failpoints,
                self.use_case.settle_policy(table),
            )
            for table in self.use_case.tables
        }
        self._locks = {table.name: Lock() for table in self.use_case.tables}

    def write(self, records: DataFrame, batch_id: int) -> dict[str, TableCounts]:
        """Writes a batch of Kafka records; raises StorageError after every other table is done if one fails.

        Writing the same batch again changes nothing, so the stream retries it as a whole.
        """
        context = BatchContext(self.query_id, batch_id, self.clock())
        records = records.persist()
        try:
            counts = self._write_batch(records, context)
        finally:
            records.unpersist()
        for name, count in counts.items():
            self.totals[name] = self.totals.get(name, TableCounts()) + count
        return counts

    def settle_due(self, now: datetime) -> None:
        """Settles, between batches, the tables whose policy says so; another thread may call this beside `write`.

        A table that fails here fails in its next batch as well, and is dealt with there.
        """
        for name, writer in self._writers.items():
            with self._locks[name]:
                try:
                    writer.settle_due(now)
                except Exception as error:  # noqa: BLE001 - one table may not keep the others from their turn
                    _log.error("table not settled", table=name, error=str(error).splitlines()[0])

    def _write_batch(self, records: DataFrame, context: BatchContext) -> dict[str, TableCounts]:
        """Tables side by side; metrics and accounting wait for the try in which every table succeeds.

        Both are one append for all tables, and a second one under the same transaction would be skipped.
        """
        present: dict[str, int] = {row["topic"]: row["count"] for row in records.groupBy("topic").count().collect()}
        self._suit_sessions(records, sum(present.values()))
        tables = [table for table in self.use_case.tables if table.topic in present]
        with ThreadPoolExecutor(max_workers=_WRITERS) as pool:
            checked = _gather(pool, tables, lambda table: self._check(records, table, context))
            if not checked.failed:
                self._write_metrics(checked.done, context)
            dead = self._write_dead_letters(checked.done, self._unrouted(records, present), context)
            ready = [table for table in tables if table.name in checked.done]
            written = _gather(pool, ready, lambda table: self._write_table(table, checked.done, dead, context))
        for batch in checked.done.values():
            delta.release(batch.records)
        _raise_failures(checked.failed | written.failed)
        counts = written.done | _unrouted_counts(dead)
        _assert_balanced(counts)
        self._write_accounting(checked.done, counts, context)
        return counts

    def _suit_sessions(self, records: DataFrame, count: int) -> None:
        for session in (
            records.sparkSession,
            self.session,
            *(writer.history.session for writer in self._writers.values()),
        ):
            suit_batch_size(session, count)

    def _check(self, records: DataFrame, table: Table, context: BatchContext) -> CheckedBatch:
        with self._locks[table.name]:
            return self._writers[table.name].check(Records(records.where(F.col("topic") == table.topic)), context)

    def _write_table(
        self,
        table: Table,
        checked: Mapping[str, CheckedBatch],
        dead: Mapping[str, DeadLetterCounts],
        context: BatchContext,
    ) -> TableCounts:
        letters = dead.get(table.name, DeadLetterCounts())
        with self._locks[table.name]:
            counts = self._writers[table.name].write(checked[table.name], letters, context)
        _log.info("batch written", table=table.name, batch_id=context.batch_id, **vars(counts))
        return counts

    def _unrouted(self, records: DataFrame, present: Collection[str]) -> Records | None:
        """Records of topics that no table claims, where there are any."""
        unclaimed = set(present) - {table.topic for table in self.use_case.tables}
        return Records(records.where(F.col("topic").isin(*unclaimed))) if unclaimed else None

    def _write_dead_letters(
        self, checked: Mapping[str, CheckedBatch], unrouted: Records | None, context: BatchContext
    ) -> Mapping[str, DeadLetterCounts]:
        """One commit for all tables, before any log: a record that is lost to a crash here is read again."""
        rows = [
            self._writers[name].dead_letters(batch, context)
            for name, batch in checked.items()
            if batch.summary.dead_letters
        ]
        if unrouted is not None:
            rows.append(unrouted_rows(unrouted, context))
        with self.failpoints.around("dead letters"):
            return write_dead_letters(self.session, rows, self.locations.dead_letters, context)

    def _write_metrics(self, checked: Mapping[str, CheckedBatch], context: BatchContext) -> None:
        """One append for all tables; a retry of the batch writes nothing, and neither does a batch of redeliveries."""
        rows = [
            self._metric_row(name, measurement, context)
            for name, batch in checked.items()
            if batch.counts.is_new
            for measurement in batch.measurements
        ]
        if rows:
            frame = self.session.createDataFrame(rows, _METRICS_SCHEMA).coalesce(1)
            transaction = (f"fluvial/{self.query_id}/metrics", context.batch_id)
            with self.failpoints.around("metrics"):
                delta.append(frame, self.locations.dq_metrics, transaction=transaction)

    def _metric_row(self, table: str, found: Measurement, context: BatchContext) -> tuple[object, ...]:
        if found.is_breach:
            _log.warning("metric below threshold", table=table, metric=found.metric, column=found.column)
        identity = (self.use_case.name, table, context.query_id, context.batch_id)
        judged = (found.threshold, found.severity, found.is_breach)
        return (*identity, found.metric, found.column, found.value, *judged, context.processed_at)

    def _write_accounting(
        self, checked: Mapping[str, CheckedBatch], counts: Mapping[str, TableCounts], context: BatchContext
    ) -> None:
        """Checks the accounting identity of each table and stores it, but for tables that only saw redeliveries."""
        rows = [
            _accounting_row(name, checked.get(name), count, context)
            for name, count in counts.items()
            if not count.is_redelivery
        ]
        if rows:
            frame = self.session.createDataFrame(rows, _BATCHES_SCHEMA).coalesce(1)
            transaction = (f"fluvial/{self.query_id}/batches", context.batch_id)
            with self.failpoints.around("batches"):
                delta.append(frame, self.locations.batches, transaction=transaction)


Result = TypeVar("Result")


@dataclass(frozen=True)
class _Gathered(Generic[Result]):
    """Results by table name, and the failures beside them."""

    done: dict[str, Result]
    failed: dict[str, Exception]


def _gather(pool: ThreadPoolExecutor, tables: Sequence[Table], work: Callable[[Table], Result]) -> _Gathered[Result]:
    """Runs the work for each table; one that fails takes no other with it."""
    futures = {table.name: pool.submit(work, table) for table in tables}
    gathered: _Gathered[Result] = _Gathered({}, {})
    for name, future in futures.items():
        if (error := future.exception()) is None:
            gathered.done[name] = future.result()
        elif isinstance(error, Exception):
            gathered.failed[name] = error
        else:
            raise error
    return gathered


def _raise_failures(failed: Mapping[str, Exception]) -> None:
    if not failed:
        return
    for name, error in failed.items():
        _log.error("table failed", table=name, error=str(error).splitlines()[0])
    names = ", ".join(sorted(failed))
    hint = "the batch is tried again as a whole; what the other tables wrote stays and is not written twice"
    first = next(iter(failed.values()))
    hint = "; ".join(filter(None, (getattr(first, "hint", ""), hint)))
    raise StorageError(f"can't write {names}: {str(first).splitlines()[0]}", hint) from first


def _unrouted_counts(dead: Mapping[str, DeadLetterCounts]) -> dict[str, TableCounts]:
    if (letters := dead.get(UNROUTED)) is None:
        return {}
    consumed = letters.written + letters.known
    return {UNROUTED: TableCounts(consumed=consumed, dead_letters=letters.written, duplicates=letters.known)}


def _assert_balanced(counts: Mapping[str, TableCounts]) -> None:
    """The accounting identity; a batch that breaks it isn't acknowledged."""
    for name, count in counts.items():
        if not count.is_balanced:
            raise StorageError(f"the accounting of {name} doesn't add up: {count}", "please report this as a bug")


def _accounting_row(
    name: str, batch: CheckedBatch | None, counts: TableCounts, context: BatchContext
) -> tuple[object, ...]:
    summary = batch.summary if batch else None
    bounds = (summary.min_commit_micros, summary.max_commit_micros) if summary else (None, None)
    times = (_time(bounds[0]), _time(bounds[1]))
    return (name, context.query_id, context.batch_id, *vars(counts).values(), *times, context.processed_at)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
