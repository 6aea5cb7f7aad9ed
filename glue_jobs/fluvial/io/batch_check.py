"""Checks a table's share of a micro-batch: parses, judges and counts it, and finds what the log lacks.

Most batches bring new events and nothing else. Such a batch needs its rows once: the pass that counts it writes its
log rows too, staged, and what was counted decides whether they are published. Whether a large batch repeats itself is
read from two columns of what was staged: a set of all its events would cost the pass more. The few records that go
elsewhere, to the quarantine or to the dead letters, are parsed again. A batch that repeats itself or the log is taken
the careful way: its rows are held and compared, and what is fresh is written by a pass of its own.
"""

from collections.abc import Callable, Mapping, Sequence
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
from fluvial.io.observed import Aggregates, observe
from fluvial.io.quarantine_writer import QuarantineWriter
from fluvial.io.records_at import records_at
from fluvial.io.schemas import empty_frame, log_schema
from fluvial.io.staged_append import StagedAppend, stage_append
from fluvial.io.table_chain import TableChain
from fluvial.metrics.accounting import read_summary, summary_columns
from fluvial.metrics.analyzers import measure_metrics, read_measurements
from fluvial.micro_batch import take_events
from fluvial.quality.set_aside import PLACES, can_set_aside, read_places, set_aside
from fluvial.streams import BatchContext, BatchSummary, ChangeEvents, CheckedRecords, FreshEvents, LogRows, Records

_MOST_STAGED: Final = 1_000_000
"""Events that the driver may look at once more, by two columns: some hundred bytes each."""


@dataclass(frozen=True)
class _ByCount:
    """What is counted of a batch: of few events also which they are."""

    of_few: Aggregates
    of_many: Aggregates

    def of(self, expected: int | None) -> Aggregates:
        """Of so many events, or of nobody knows how many."""
        return self.of_few if expected is not None and expected <= MOST_IN_A_BATCH else self.of_many


def _by_count(columns: Sequence[Column]) -> _ByCount:
    return _ByCount(Aggregates([*columns, event_fingerprints()]), Aggregates(columns))


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
    def _held(self) -> _ByCount:
        return _by_count(self._measured)

    @cached_property
    def _staged(self) -> _ByCount:
        return _by_count([*self._measured, set_aside()])

    def check(self, records: Records, context: BatchContext, expected: int | None = None) -> CheckedBatch:
        """Parses and judges the records in one pass, which also counts them and measures the metrics.

        There are `expected` or fewer, where that is known.
        """
        if self.stages and expected is not None and expected <= _MOST_STAGED:
            staged = self._stage(records, context, expected)
            if staged is not None:
                return staged
            self.stages = False
        return self._compare(Held(self.chain.check(records)), context, expected)

    def appended(self, batch: CheckedBatch) -> None:
        """Tells that the log holds a batch's events now, and every column of theirs."""
        self._recent.add(batch.summary, batch.counted.fingerprints)
        self.stages = not batch.is_compared and self._may_publish(batch.summary)

    def _may_publish(self, summary: BatchSummary) -> bool:
        return not summary.derived_events and can_set_aside(self.chain.table, summary)

    def _stage(self, records: Records, context: BatchContext, expected: int | None) -> CheckedBatch | None:
        """The batch with its log rows staged, as if all its events were fresh; None if they aren't."""
        checked = self.chain.check(records)
        observed = observe(checked, self._staged.of(expected))
        events = self._events(CheckedRecords(observed.rows))
        staged = stage_append(self.chain.log_rows(events, context), self.log)
        batch = None
        try:
            batch = self._audit(staged, observed.values, Held(checked), records, context)
        finally:
            if batch is None:
                staged.discard()
        return batch

    def _audit(
        self, staged: StagedAppend, values: Mapping[str, Any], held: Held, records: Records, context: BatchContext
    ) -> CheckedBatch | None:
        counted = self._read(values, lambda: _count_distinct(staged))
        summary, places = counted.summary, read_places(values[PLACES])
        if self._may_repeat(counted) or not self._may_publish(summary):
            return None
        aside = self._judge_again(records_at(places, records), summary, context) if places else held
        if aside is None:
            return None

        def fresh() -> FreshEvents:
            return self._events(aside.records)

        return CheckedBatch(aside, counted, all_fresh(summary), fresh, staged)

    def _judge_again(self, records: Records, summary: BatchSummary, context: BatchContext) -> Held | None:
        """The records that go elsewhere than to the log; None where this time they don't get the same verdict.

        An extension's rule may look at the clock. What is a gap marker in the log has to be in the quarantine.
        """
        checked = self.chain.check(records)
        if summary.violated and self.quarantine.can_stage(summary):
            observed = observe(checked, self._summary)
            rows = self.chain.quarantined(self._events(CheckedRecords(observed.rows)), context)
            aside = Held(checked, stage_append(rows, self.quarantine.location))
            again = observed.values
        else:
            aside = Held(checked)
            again = aside.compute(self._summary)
        if (again["violated"], again["dead_letters"]) == (summary.violated, summary.dead_letters):
            return aside
        aside.release()
        return None

    def _events(self, checked: CheckedRecords) -> FreshEvents:
        return FreshEvents(take_events(checked, self.chain.table, has_derived=False))

    def _compare(self, held: Held, context: BatchContext, expected: int | None) -> CheckedBatch:
        """The batch with its rows held, and compared with the log where it may repeat itself or the log."""
        counted = self._hold(held, expected)
        events = take_events(held.records, self.chain.table, has_derived=counted.summary.derived_events > 0)
        if not self._may_repeat(counted):
            return CheckedBatch(held, counted, all_fresh(counted.summary), lambda: FreshEvents(events))
        marked, counts = self._mark(events, counted, context)
        return CheckedBatch(held, counted, counts, lambda: take_fresh(marked), is_compared=True)

    def _hold(self, held: Held, expected: int | None) -> Counted:
        values = held.compute(self._held.of(expected))
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


def _count_distinct(staged: StagedAppend) -> int:
    """How many different events staged log rows are, at least: those of two keys may agree in all that is read."""
    hashes = staged.read([c.PAYLOAD_HASH])
    if not hashes.num_rows:
        return 0
    if len(hashes.column(c.PAYLOAD_HASH).unique()) == hashes.num_rows:
        return int(hashes.num_rows)
    identity = [c.SEQUENCE, c.PAYLOAD_HASH]
    return int(staged.read(identity).group_by(identity).aggregate([]).num_rows)
