"""Writes one table's share of a micro-batch: quarantine, log, history, in that order, each idempotent by itself."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from pyspark.sql import SparkSession

from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.config.settle import SettlePolicy
from fluvial.history.deduplicate import FreshCounts
from fluvial.io import delta
from fluvial.io.batch_check import BatchChecker
from fluvial.io.checked_batch import CheckedBatch
from fluvial.io.commits import APPENDED, batch_note
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.failpoints import Failpoints
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.quarantine_writer import QuarantineWriter
from fluvial.io.table_chain import TableChain
from fluvial.micro_batch import place_dead_letters
from fluvial.streams import BatchContext, BatchSummary, DeadLetters, Records, TableCounts


@dataclass
class TableWriter:
    """One table of the lake; keeps what it learns of the log between batches, all of it derivable again."""

    session: SparkSession
    table: Table
    locations: TableLocations
    failpoints: Failpoints = field(default_factory=Failpoints)
    policy: SettlePolicy = field(default_factory=SettlePolicy)

    def __post_init__(self) -> None:
        self._chain = TableChain(self.session, self.table)
        self._quarantine = QuarantineWriter(self.session, self.table, self.locations.quarantine)
        self._checker = BatchChecker(self._chain, self.locations.log, self._quarantine)

    @cached_property
    def history(self) -> HistoryWriter:
        """The settle step of this table."""
        return HistoryWriter(self.session, self.table, self.locations)

    def check(self, records: Records, context: BatchContext, expected: int | None = None) -> CheckedBatch:
        """Parses, judges and counts the records, and finds what the log lacks; publishes nothing.

        There are `expected` or fewer, where that is known.
        """
        return self._checker.check(records, context, expected)

    def dead_letters(self, batch: CheckedBatch, context: BatchContext) -> DeadLetters:
        """The records of the batch that can't be change events."""
        return place_dead_letters(batch.held.records, self.table, context)

    def write(self, batch: CheckedBatch, dead: DeadLetterCounts, context: BatchContext) -> TableCounts:
        """Quarantine and log, then the history; returns where each record went."""
        if batch.counts.fresh:
            self._append(batch, context)
        else:
            self.history.look_again()
        self.settle_due(context.processed_at)
        return _table_counts(batch.summary, batch.counts, dead)

    def settle_due(self, now: datetime) -> int:
        """Settles if the policy says so; returns how many versions changed. An idle table needs to be asked, too."""
        with self.failpoints.around("history"):
            return self.history.settle_due(self.policy, now)

    def _append(self, batch: CheckedBatch, context: BatchContext) -> None:
        log = batch.staged.table if batch.staged else None
        self.history.look_ahead(self.policy, batch.counts.fresh, context.processed_at, log)
        if batch.counts.fresh_quarantined:
            with self.failpoints.around("quarantine"):
                self._set_aside(batch, context)
        with self.failpoints.around("log"):
            version = self._log(batch, context)
        self.history.log_grew(batch.summary, version)
        self._checker.appended(batch)

    def _set_aside(self, batch: CheckedBatch, context: BatchContext) -> None:
        if batch.held.quarantine is not None:
            batch.held.quarantine.commit(APPENDED)
            return
        self._quarantine.append(self._chain.quarantined(batch.fresh(), context), batch.summary)

    def _log(self, batch: CheckedBatch, context: BatchContext) -> int | None:
        """Appends, and returns the version that the commit made, where it says."""
        note = batch_note(context.query_id, context.batch_id)
        if batch.staged is not None:
            return batch.staged.commit(note)
        rows = self._chain.log_rows(batch.fresh(), context)
        delta.append(rows, self.locations.log, properties=delta.log_properties(self.table), note=note)
        return None


def _table_counts(summary: BatchSummary, counts: FreshCounts, dead: DeadLetterCounts) -> TableCounts:
    log_rows = counts.fresh_valid + counts.own_valid
    quarantined = counts.fresh_quarantined + counts.own_quarantined
    return TableCounts(
        consumed=summary.consumed,
        log_rows=log_rows,
        quarantined=quarantined,
        dead_letters=dead.written,
        control_messages=summary.control_messages,
        tombstones=summary.tombstones,
        duplicates=summary.events - log_rows - quarantined + dead.known,
    )
