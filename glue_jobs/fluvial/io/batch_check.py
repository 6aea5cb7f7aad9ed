"""Checks a table's share of a micro-batch: parses, judges and counts it, and finds what the log lacks.

Most batches bring new events and nothing else. Such a batch needs its rows once: the pass that counts it writes its
log rows too, staged, and what was counted decides whether they are published. Whether a large batch repeats itself is
read from two columns of what was staged: a set of all its events would cost the pass more. The few records that go
elsewhere, to the quarantine or to the dead letters, are parsed again. A batch that repeats itself or the log is taken
the careful way: its rows are held and compared, and what is fresh is written by a pass of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from pyspark.sql import Column, DataFrame

from fluvial import columns as c
from fluvial.history.deduplicate import (
    DISTINCT,
    FINGERPRINTS,
    FreshCounts,
    all_fresh,
    count_states,
    distinct_events,
    drop_repeats,
    event_fingerprints,
    is_within,
    mark_known,
    read_fingerprints,
    take_fresh,
)
from fluvial.history.recent_events import MOST_IN_A_BATCH, RecentEvents
from fluvial.io import delta
from fluvial.io.checked_batch import CheckedBatch, Counted, Held
from fluvial.io.observed import Aggregates
from fluvial.io.planned_pass import PlannedPass
from fluvial.io.quarantine_writer import QuarantineWriter
from fluvial.io.records_at import records_at
from fluvial.io.schemas import empty_frame, log_schema
from fluvial.io.session import interpreted
from fluvial.io.staged_append import StagedAppend, stage_append
from fluvial.io.table_chain import TableChain
from fluvial.metrics.accounting import read_summary, summary_columns
from fluvial.metrics.analyzers import measure_metrics, read_measurements
from fluvial.micro_batch import take_events
from fluvial.quality.set_aside import PLACES, can_set_aside, read_places, set_aside
from fluvial.streams import BatchContext, BatchSummary, ChangeEvents, FreshEvents, LogRows, Records

_MOST_STAGED: Final = 1_000_000
"""Events that the driver may look at once more, by two columns: some hundred bytes each."""


@dataclass
class BatchChecker:
    """Checks one table's batches; keeps what it learns of the log between them, all of it derivable again."""

    chain: TableChain
    log: str
    quarantine: QuarantineWriter
    stages: bool = field(default=False, init=False)
    """Whether the next batch's log rows are staged: where the last one brought nothing but new events."""

    @cached_property
    def _recent(self) -> RecentEvents:
        """What the log holds; from here on this process sees every row that is appended."""
        return RecentEvents(delta.highest_sequence(self.chain.session, self.log))

    @cached_property
    def _summary(self) -> Aggregates:
        return Aggregates(summary_columns())

    @cached_property
    def _measured(self) -> list[Column]:
        return [*self._summary.columns, *measure_metrics(self.chain.table)]

    @cached_property
    def _few(self) -> Aggregates:
        return Aggregates([*self._measured, event_fingerprints()])

    @cached_property
    def _many(self) -> Aggregates:
        return Aggregates(self._measured)

    @cached_property
    def _log_of_few(self) -> PlannedPass:
        return self.chain.log_pass([*self._measured, set_aside(), event_fingerprints()])

    @cached_property
    def _log_of_many(self) -> PlannedPass:
        return self.chain.log_pass([*self._measured, set_aside()])

    @cached_property
    def _quarantined(self) -> PlannedPass:
        return self.chain.quarantine_pass(self._summary.columns)

    def check(self, records: Records, context: BatchContext, expected: int | None = None) -> CheckedBatch:
        """Parses and judges the records in one pass, which also counts them and measures the metrics.

        There are `expected` or fewer, where that is known.
        """
        if self.stages and expected is not None and expected <= _MOST_STAGED:
            staged = self._stage(records, context, expected)
            if staged is not None:
                return staged
            self.stages = False
        return self._compare(self._held(records), context, expected)

    def appended(self, batch: CheckedBatch) -> None:
        """Tells that the log holds a batch's events now, and every column of theirs."""
        self._recent.add(batch.summary, batch.counted.fingerprints)
        self.stages = not batch.is_compared and self._may_publish(batch.summary)

    def _may_publish(self, summary: BatchSummary) -> bool:
        return not summary.derived_events and can_set_aside(self.chain.table, summary)

    def _stage(self, records: Records, context: BatchContext, expected: int) -> CheckedBatch | None:
        """The batch with its log rows staged, as if all its events were fresh; None if they aren't."""
        log = self._log_of_few if _are_few(expected) else self._log_of_many
        passed = log.over(records, context, expected)
        staged = stage_append(passed.rows, self.log)
        batch = None
        try:
            batch = self._audit(staged, passed.values, records, context)
        finally:
            if batch is None:
                staged.discard()
        return batch

    def _audit(
        self, staged: StagedAppend, values: Mapping[str, Any], records: Records, context: BatchContext
    ) -> CheckedBatch | None:
        counted = self._read(values, lambda: _count_distinct(staged))
        summary, places = counted.summary, read_places(values[PLACES])
        if self._may_repeat(counted) or not self._may_publish(summary):
            return None
        aside = self._judge_again(records_at(places, records), summary, context) if places else self._held(records)
        if aside is None:
            return None

        def fresh() -> FreshEvents:
            return FreshEvents(take_events(aside.records, self.chain.table, has_derived=False))

        return CheckedBatch(aside, counted, all_fresh(summary), fresh, staged)

    def _judge_again(self, records: Records, summary: BatchSummary, context: BatchContext) -> Held | None:
        """The records that go elsewhere than to the log; None where this time they don't get the same verdict.

        An extension's rule may look at the clock. What is a gap marker in the log has to be in the quarantine.
        """
        aside = self._held(records)
        if summary.violated and self.quarantine.can_stage(summary):
            passed = self._quarantined.over(records, context)
            with interpreted(records.sparkSession, _weight(summary)):
                aside.quarantine = stage_append(passed.rows, self.quarantine.location)
            again = passed.values
        else:
            again = aside.compute(self._summary)
        if (again["violated"], again["dead_letters"]) == (summary.violated, summary.dead_letters):
            return aside
        aside.release()
        return None

    def _held(self, records: Records) -> Held:
        return Held(lambda: self.chain.check(records))

    def _compare(self, held: Held, context: BatchContext, expected: int | None) -> CheckedBatch:
        """The batch with its rows held, and compared with the log where it may repeat itself or the log."""
        counted = self._hold(held, expected)
        events = take_events(held.records, self.chain.table, has_derived=counted.summary.derived_events > 0)
        if not self._may_repeat(counted):
            return CheckedBatch(held, counted, all_fresh(counted.summary), lambda: FreshEvents(events))
        marked, counts = self._mark(events, counted, context)
        return CheckedBatch(held, counted, counts, lambda: take_fresh(marked), is_compared=True)

    def _hold(self, held: Held, expected: int | None) -> Counted:
        values = held.compute(self._few if _are_few(expected) else self._many)
        return self._read(values, lambda: held.records.agg(distinct_events()).collect()[0][DISTINCT])

    def _read(self, values: Mapping[str, Any], count_distinct: Callable[[], int]) -> Counted:
        text = values.get(FINGERPRINTS)
        fingerprints = None if text is None else read_fingerprints(text)
        distinct = count_distinct() if fingerprints is None else len(fingerprints)
        measurements = read_measurements(self.chain.table, values)
        return Counted(read_summary({**values, DISTINCT: distinct}), measurements, fingerprints)

    def _may_repeat(self, counted: Counted) -> bool:
        return counted.has_repeats or self._recent.may_hold(counted.summary, counted.fingerprints)

    def _mark(self, events: ChangeEvents, counted: Counted, context: BatchContext) -> tuple[DataFrame, FreshCounts]:
        key = self.chain.table.primary_key
        if counted.has_repeats:
            events = drop_repeats(events, key)
        marked = mark_known(events, self._log_between(counted.summary), key, context)
        held, counts = delta.checkpoint_counted(marked, Aggregates(count_states()))
        return held, FreshCounts(**counts)

    def _log_between(self, summary: BatchSummary) -> LogRows:
        session = self.chain.session
        log = delta.read_if_exists(session, self.log)
        if log is None:
            return LogRows(empty_frame(session, log_schema(self.chain.table)))
        return LogRows(log.where(is_within(summary)))


def _weight(summary: BatchSummary) -> int:
    """The work in judged records: the few are looked for among all, each of which takes a tenth of a judgement."""
    return summary.violated + summary.dead_letters + summary.consumed // 10


def _are_few(expected: int | None) -> bool:
    """Whether the driver keeps which events they are, not how many only."""
    return expected is not None and expected <= MOST_IN_A_BATCH


def _count_distinct(staged: StagedAppend) -> int:
    """How many different events staged log rows are, at least: those of two keys may agree in all that is read."""
    hashes = staged.read([c.PAYLOAD_HASH])
    if not hashes.num_rows:
        return 0
    if len(hashes.column(c.PAYLOAD_HASH).unique()) == hashes.num_rows:
        return int(hashes.num_rows)
    identity = [c.SEQUENCE, c.PAYLOAD_HASH]
    return int(staged.read(identity).group_by(identity).aggregate([]).num_rows)
