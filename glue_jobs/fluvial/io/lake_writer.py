"""One micro-batch of many topics into the lake: tables side by side, a failing one without harm to the others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.circuit_breakers import CircuitBreakers
from fluvial.io.dead_letters import UNROUTED, DeadLetterCounts, write_dead_letters
from fluvial.io.failed_tables import FailedTables, raise_failures
from fluvial.io.failpoints import Failpoints
from fluvial.io.gather import Gathered, gather
from fluvial.io.parked import Share
from fluvial.io.parking import Parking
from fluvial.io.query_offsets import SoleTopic
from fluvial.io.reason import reason
from fluvial.io.session import suit_batch_size
from fluvial.io.shares import PassedOver, add_passed_over, find_shares
from fluvial.io.side_tables import SideTables
from fluvial.io.table_writer import TableWriter
from fluvial.io.table_writers import MakeTableWriter, TableWriters
from fluvial.io.transient import retry_transient
from fluvial.quality.split import unrouted_rows
from fluvial.streams import BatchContext, Records, TableCounts

_WRITERS: Final = 2
_log = structlog.get_logger()


@dataclass
class LakeWriter:
    """Writes micro-batches of one use case; `clock` gives the processing time in UTC.

    With `parking`, a table that can't be written is parked and the batch goes on; without, the batch fails. While the
    stream `is_behind`, histories are settled less often. Two threads may use it: one for `write`, one for `write_share`
    and `settle_due`.
    """

    session: SparkSession
    use_case: UseCase
    locations: Locations
    query_id: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    failpoints: Failpoints = field(default_factory=Failpoints)
    parking: Parking | None = None
    make_table_writer: MakeTableWriter = TableWriter
    is_behind: Callable[[], bool] = lambda: False
    totals: dict[str, TableCounts] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._side = SideTables(self.locations, self.failpoints)
        made = (self.failpoints, self.make_table_writer, self.is_behind)
        breakers = None if self.parking is None else CircuitBreakers(self.use_case)
        self._writers = TableWriters(self.session, self.use_case, self.locations, *made, breakers)
        self._failed = FailedTables(self.use_case, self._writers, self.parking)

    def write(
        self,
        records: DataFrame,
        batch_id: int,
        find_passed_over: Callable[[], PassedOver] = dict,
        sole: SoleTopic | None = None,
    ) -> dict[str, TableCounts]:
        """Writes a batch of Kafka records, but for tables that are parked.

        `find_passed_over` is asked when the records are in hand; `sole` says that all of them are of one topic. Raises
        StorageError, after every other table is done, where the batch has to be tried again. Writing the same batch
        again changes nothing.
        """
        context = BatchContext(self.query_id, batch_id, self.clock())
        counts = self._write_sole(records, sole, context, find_passed_over) if sole else None
        if counts is None:
            with _persisted(records):
                counts = self._write_batch(records, context, find_passed_over)
        self._add(counts)
        return counts

    def write_share(
        self, table: Table, records: DataFrame, share: Share, expected: int | None, *, accepts_bad: bool = False
    ) -> TableCounts:
        """Writes what has waited for a parked table, as the micro-batch would have that it came with.

        Its circuit breaker lets everything pass for one who `accepts_bad`.
        """
        context = BatchContext(share.batch.query_id, share.batch.number, self.clock())
        try:
            with _persisted(records):
                batch = self._writers.check_announced(records, table, context, expected, accepts_bad=accepts_bad)
                with _released(batch):
                    counts = self._write_checked(table, records, batch, context, parked=table.name)
        except Exception:
            self._writers.renew(table.name)
            raise
        self._add(counts)
        return counts[table.name]

    def _write_sole(
        self, records: DataFrame, sole: SoleTopic, context: BatchContext, find_passed_over: Callable[[], PassedOver]
    ) -> dict[str, TableCounts] | None:
        """A batch of one topic in one pass: nobody has to count first what it holds of each. None: go the usual way."""
        table = next((table for table in self.use_case.tables if table.topic == sole.name), None)
        if table is None or self._failed.concerns(table, context):
            return None
        self._suit_sessions(records, sole.most_records)
        try:
            batch = self._writers.check(records, table, context, sole.most_records)
            with _released(batch):
                if find_passed_over() or self._failed.concerns(table, context):
                    return None
                return self._write_checked(table, records, batch, context)
        except Exception as error:  # noqa: BLE001 - the usual way does it again, and knows what to do with the table
            _log.warning("table failed", table=table.name, batch_id=context.batch_id, error=reason(error))
            self._writers.renew(table.name)
            return None

    def _write_checked(
        self, table: Table, records: DataFrame, batch: CheckedBatch, context: BatchContext, parked: str | None = None
    ) -> dict[str, TableCounts]:
        """Writes one table's records and what was found out about them; `parked` names a table that was."""
        checked = {table.name: batch}
        self._side.write_metrics(checked, context, parked)
        dead = self._write_dead_letters(checked, None, context)
        counts = {table.name: self._write_table(table, records, checked, dead, context)}
        self._side.write_accounting(checked, counts, context, parked)
        return counts

    def settle_due(self, now: datetime) -> None:
        """Settles, between batches, the tables whose policy says so."""
        self._writers.settle_due(now)

    def _write_batch(
        self, records: DataFrame, context: BatchContext, find_passed_over: Callable[[], PassedOver]
    ) -> dict[str, TableCounts]:
        """Tables side by side; metrics and accounting wait for the try in which every table succeeds or is parked.

        Both are one append for all tables, and a second one under the same transaction would be skipped.
        """
        shares = add_passed_over(find_shares(records, context), find_passed_over(), context)
        self._suit_sessions(records, sum(share.records for share in shares.values()))
        tables = [
            table for table in self.use_case.tables if table.topic in shares and not self._failed.waits(table, shares)
        ]
        with ThreadPoolExecutor(max_workers=_WRITERS) as pool:
            checked = gather(
                pool,
                tables,
                lambda table: self._writers.check_announced(records, table, context, shares[table.topic].records),
            )
            with _released(*checked.done.values()):
                counts = self._write_tables(pool, records, checked, shares, context)
        self._side.write_accounting(checked.done, counts, context)
        return counts

    def _write_tables(
        self,
        pool: ThreadPoolExecutor,
        records: DataFrame,
        checked: Gathered[CheckedBatch],
        shares: Mapping[str, Share],
        context: BatchContext,
    ) -> dict[str, TableCounts]:
        failed = self._failed.park(checked, shares, context)
        if not failed:
            self._side.write_metrics(checked.done, context)
        dead = self._write_dead_letters(checked.done, self._unrouted(records, shares), context)
        ready = [table for table in self.use_case.tables if table.name in checked.done]
        written = gather(pool, ready, lambda table: self._write_table(table, records, checked.done, dead, context))
        failed |= self._failed.park(written, shares, context)
        raise_failures(failed)
        return written.done | _unrouted_counts(dead)

    def _suit_sessions(self, records: DataFrame, count: int) -> None:
        for session in (records.sparkSession, self.session):
            suit_batch_size(session, count, fuses=False)

    def _write_table(
        self,
        table: Table,
        records: DataFrame,
        checked: Mapping[str, CheckedBatch],
        dead: Mapping[str, DeadLetterCounts],
        context: BatchContext,
    ) -> TableCounts:
        letters = dead.get(table.name, DeadLetterCounts())
        return self._writers.write(table, records, checked[table.name], letters, context)

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
            return retry_transient(lambda: write_dead_letters(self.session, rows, self.locations.dead_letters, context))

    def _add(self, counts: Mapping[str, TableCounts]) -> None:
        for name, count in counts.items():
            self.totals[name] = self.totals.get(name, TableCounts()) + count


@contextmanager
def _persisted(records: DataFrame) -> Iterator[None]:
    """The records are read once, however often they are needed meanwhile."""
    records.persist()
    try:
        yield
    finally:
        records.unpersist()


@contextmanager
def _released(*batches: CheckedBatch) -> Iterator[None]:
    """Whatever comes, nothing of the batches stays behind."""
    try:
        yield
    finally:
        for batch in batches:
            batch.release()


def _unrouted_counts(dead: Mapping[str, DeadLetterCounts]) -> dict[str, TableCounts]:
    if (letters := dead.get(UNROUTED)) is None:
        return {}
    consumed = letters.written + letters.known
    return {UNROUTED: TableCounts(consumed=consumed, dead_letters=letters.written, duplicates=letters.known)}
