"""The writers of a lane's tables, each used by one thread at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Protocol

import structlog
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations, TableLocations
from fluvial.config.model import Table, UseCase
from fluvial.config.settle import SettlePolicy
from fluvial.errors import StorageError
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.circuit_breakers import CircuitBreakers
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.failpoints import Failpoints
from fluvial.io.reason import reason
from fluvial.io.table_writer import TableWriter
from fluvial.io.transient import retry_transient
from fluvial.streams import BatchContext, Records, TableCounts

_log = structlog.get_logger()


class MakeTableWriter(Protocol):
    """Makes the writer of one table."""

    def __call__(
        self,
        session: SparkSession,
        table: Table,
        locations: TableLocations,
        failpoints: Failpoints,
        policy: SettlePolicy,
    ) -> TableWriter:
        """A new one, which knows nothing yet."""


@dataclass
class TableWriters:
    """One for each table, made again when it has failed; no table is stopped for its bad records without `breakers`."""

    session: SparkSession
    use_case: UseCase
    locations: Locations
    failpoints: Failpoints
    make: MakeTableWriter
    is_behind: Callable[[], bool] = lambda: False
    breakers: CircuitBreakers | None = None

    def __post_init__(self) -> None:
        self._writers = {table.name: self._new(table) for table in self.use_case.tables}
        self._locks = {table.name: Lock() for table in self.use_case.tables}

    def __getitem__(self, name: str) -> TableWriter:
        return self._writers[name]

    def check(
        self, records: DataFrame, table: Table, context: BatchContext, expected: int | None = None
    ) -> CheckedBatch:
        """Checks a table's records, of which there are `expected` or fewer, where that is known.

        Raises CircuitOpenError where too many are bad.
        """
        return self._held_back(table, self._check(records, table, context, expected))

    def check_announced(
        self,
        records: DataFrame,
        table: Table,
        context: BatchContext,
        expected: int | None,
        *,
        accepts_bad: bool = False,
    ) -> CheckedBatch:
        """Checks a table's records; raises StorageError where they aren't as many as were counted before.

        Raises CircuitOpenError where too many are bad, unless the caller `accepts_bad`.
        """
        batch = self._check(records, table, context, expected)
        if expected is not None and batch.summary.consumed != expected:
            batch.release()
            message = f"{expected} records of {table.name} were announced, {batch.summary.consumed} came"
            raise StorageError(message, "they are read again; if this stays, Kafka has lost some")
        return batch if accepts_bad else self._held_back(table, batch)

    def _check(self, records: DataFrame, table: Table, context: BatchContext, expected: int | None) -> CheckedBatch:
        with self._locks[table.name]:
            mine = Records(records.where(F.col("topic") == table.topic))
            return self[table.name].check(mine, context, expected)

    def _held_back(self, table: Table, batch: CheckedBatch) -> CheckedBatch:
        """The batch, unless the table's circuit breaker opens."""
        try:
            if self.breakers is not None:
                self.breakers.hold(table, batch)
        except Exception:
            batch.release()
            raise
        return batch

    def write(
        self, table: Table, records: DataFrame, checked: CheckedBatch, letters: DeadLetterCounts, context: BatchContext
    ) -> TableCounts:
        """Writes a table's records, again from the check on where another writer's commit came in between."""
        first, announced = [checked], checked.summary.consumed

        def write() -> TableCounts:
            batch = first.pop() if first else self._check_again(records, table, context, announced)
            with self._locks[table.name]:
                return self._with_policy(table.name).write(batch, letters, context)

        counts = retry_transient(write)
        if not counts.is_balanced:
            raise StorageError(
                f"the accounting of {table.name} doesn't add up: {counts}", "please report this as a bug"
            )
        _log.info("batch written", table=table.name, batch_id=context.batch_id, **vars(counts))
        return counts

    def settle_due(self, now: datetime) -> None:
        """Settles the tables whose policy says so; one that fails here fails in its next batch, and is parked there."""
        for name in self._writers:
            with self._locks[name]:
                try:
                    self._with_policy(name).settle_due(now)
                except Exception as error:  # noqa: BLE001 - one table may not keep the others from their turn
                    _log.error("table not settled", table=name, error=reason(error))

    def renew(self, name: str) -> None:
        """Forgets what a table's writer has learnt of its log: after a failure nobody knows what it has written."""
        with self._locks[name]:
            self._writers[name] = self._new(self.use_case.table(name))

    def _check_again(self, records: DataFrame, table: Table, context: BatchContext, announced: int) -> CheckedBatch:
        self.renew(table.name)
        return self.check_announced(records, table, context, announced, accepts_bad=True)

    def _with_policy(self, name: str) -> TableWriter:
        """The table's writer, which settles as it should now."""
        writer = self[name]
        writer.policy = self._policy(writer.table)
        return writer

    def _policy(self, table: Table) -> SettlePolicy:
        policy = self.use_case.settle_policy(table)
        return policy.while_behind if self.is_behind() else policy

    def _new(self, table: Table) -> TableWriter:
        return self.make(self.session, table, self.locations.table(table), self.failpoints, self._policy(table))
