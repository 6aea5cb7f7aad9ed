"""Writes one table's share of a micro-batch: quarantine, log, history, in that order, each idempotent by itself."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from pyspark.sql import DataFrame, Observation, SparkSession

from fluvial.config.locations import TableLocations
from fluvial.config.model import Table
from fluvial.config.settle import SettlePolicy
from fluvial.history.deduplicate import (
    FreshCounts,
    count_states,
    distinct_events,
    drop_repeats,
    event_fingerprints,
    is_within,
    mark_known,
    take_fresh,
)
from fluvial.history.recent_events import MOST_IN_A_BATCH, Fingerprints, RecentEvents
from fluvial.io import delta
from fluvial.io.commits import batch_note
from fluvial.io.dead_letters import DeadLetterCounts
from fluvial.io.failpoints import Failpoints
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.prepared_plan import PreparedPlan
from fluvial.io.quarantine_writer import QuarantineWriter
from fluvial.io.schemas import empty_frame, log_schema
from fluvial.io.secrets import keys_of, with_keys
from fluvial.metrics.accounting import read_summary, summary_columns
from fluvial.metrics.analyzers import Measurement, measure_metrics, read_measurements
from fluvial.micro_batch import check_records, place_dead_letters, place_events, take_events
from fluvial.streams import (
    BatchContext,
    BatchSummary,
    CheckedRecords,
    DeadLetters,
    FreshEvents,
    LogRows,
    Records,
    TableCounts,
)


@dataclass(frozen=True)
class CheckedBatch:
    """A table's records, parsed, judged, counted, and compared with the log; `records` is held.

    `fingerprints` are its events', None for a large batch.
    """

    records: CheckedRecords
    summary: BatchSummary
    measurements: tuple[Measurement, ...]
    fingerprints: Fingerprints | None
    fresh: FreshEvents
    counts: FreshCounts


@dataclass
class TableWriter:
    """One table of the lake; keeps what it learns of the log between batches, all of it derivable again."""

    session: SparkSession
    table: Table
    locations: TableLocations
    failpoints: Failpoints = field(default_factory=Failpoints)
    policy: SettlePolicy = field(default_factory=SettlePolicy)

    @cached_property
    def history(self) -> HistoryWriter:
        """The settle step of this table."""
        return HistoryWriter(self.session, self.table, self.locations)

    @cached_property
    def quarantine(self) -> QuarantineWriter:
        """Where its events go that break a rule."""
        return QuarantineWriter(self.session, self.table, self.locations.quarantine)

    @cached_property
    def _keys(self) -> DataFrame | None:
        """Read once: a secret may come from another service."""
        return keys_of(self.table, self.session)

    @cached_property
    def _check(self) -> PreparedPlan:
        """Parsing and judging, whatever the batch."""
        return PreparedPlan(self.session, lambda records: check_records(Records(records), self.table))

    @cached_property
    def _recent(self) -> RecentEvents:
        """What the log holds; from here on this process sees every row that is appended."""
        return RecentEvents(delta.highest_sequence(self.session, self.locations.log))

    def check(self, records: Records, context: BatchContext, expected: int | None = None) -> CheckedBatch:
        """Parses and judges the records in one pass, which also counts them and measures the metrics.

        `expected` is how many there are, where that is known.
        """
        checked = CheckedRecords(delta.hold(self._check.over(records)))
        observation = Observation()
        observed = checked.observe(observation, *summary_columns(), *measure_metrics(self.table))
        distinct, fingerprints = self._count_distinct(observed, expected)
        values = observation.get
        summary = read_summary(values, distinct)
        fresh, counts = self._find_fresh(checked, summary, fingerprints, context)
        measurements = read_measurements(self.table, values)
        return CheckedBatch(checked, summary, measurements, fingerprints, fresh, counts)

    def _count_distinct(self, checked: DataFrame, expected: int | None) -> tuple[int, Fingerprints | None]:
        """How many different events there are; the fingerprints too where they are few."""
        key = self.table.primary_key
        if expected is None or expected > MOST_IN_A_BATCH:
            return checked.agg(distinct_events(key)).collect()[0][0], None
        fingerprints = frozenset(checked.agg(event_fingerprints(key)).collect()[0][0])
        return len(fingerprints), fingerprints

    def _find_fresh(
        self,
        checked: CheckedRecords,
        summary: BatchSummary,
        fingerprints: Fingerprints | None,
        context: BatchContext,
    ) -> tuple[FreshEvents, FreshCounts]:
        """The events the log lacks. The log is only asked where the batch repeats itself or may repeat the log."""
        events = take_events(checked, summary, self.table)
        has_repeats = summary.distinct_events < summary.events
        if not has_repeats and not self._recent.may_hold(summary, fingerprints):
            return FreshEvents(events), _all_fresh(summary)
        if has_repeats:
            events = drop_repeats(events, self.table.primary_key)
        marked = mark_known(events, self._log_between(summary), self.table.primary_key, context)
        held, counts = delta.checkpoint_counted(marked, count_states())
        return take_fresh(held), FreshCounts(**counts)

    def _log_between(self, summary: BatchSummary) -> LogRows:
        log = delta.read_if_exists(self.session, self.locations.log)
        if log is None:
            return LogRows(empty_frame(self.session, log_schema(self.table)))
        return LogRows(log.where(is_within(summary)))

    def dead_letters(self, batch: CheckedBatch, context: BatchContext) -> DeadLetters:
        """The records of the batch that can't be change events."""
        return place_dead_letters(batch.records, self.table, context)

    def write(self, batch: CheckedBatch, dead: DeadLetterCounts, context: BatchContext) -> TableCounts:
        """Quarantine and log, then the history; returns where each record went."""
        if batch.counts.fresh:
            self._append(batch, context)
        self.history.look_again()
        self.settle_due(context.processed_at)
        return _table_counts(batch.summary, batch.counts, dead)

    def settle_due(self, now: datetime) -> int:
        """Settles if the policy says so; returns how many versions changed. An idle table needs to be asked, too."""
        with self.failpoints.around("history"):
            return self.history.settle_due(self.policy, now)

    def _append(self, batch: CheckedBatch, context: BatchContext) -> None:
        # Before anything is written: what a stranger did to the log is undone more easily while it is the newest.
        self.history.watch.look()
        outcome = place_events(FreshEvents(with_keys(batch.fresh, self._keys)), self.table, context)
        if batch.counts.fresh_quarantined:
            with self.failpoints.around("quarantine"):
                self.quarantine.append(outcome.quarantined, batch.summary)
        with self.failpoints.around("log"):
            note = batch_note(context.query_id, context.batch_id)
            delta.append(outcome.log, self.locations.log, properties=delta.log_properties(self.table), note=note)
        self.history.log_grew(batch.summary)
        self._recent.add(batch.summary, batch.fingerprints)


def _all_fresh(summary: BatchSummary) -> FreshCounts:
    return FreshCounts(
        fresh_valid=summary.distinct_events - summary.violated,
        fresh_quarantined=summary.violated,
        fresh_derived=summary.derived_events,
    )


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
