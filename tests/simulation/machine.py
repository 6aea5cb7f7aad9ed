"""Tier 1: Hypothesis tries sequences of operations on source, connector, pipeline and storage, and shrinks what fails.

Same source, same pipeline and same oracle as the simulation; what happens next is Hypothesis's choice, not a dice's.
"""

import itertools
import sys
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.simulation.delivery import CONTROL, EVENT, GARBAGE, TOMBSTONE, Record
from tests.simulation.model import BOUNDARIES, Batch, Crash, Pipeline
from tests.simulation.simulate import Run
from tests.simulation.source import KEYS, Change, Source

STEPS: Final = 50
EXAMPLES: Final = 200
"""Of one seed."""
_KEY: Final = st.integers(0, KEYS - 1)
_KEYS: Final = st.lists(_KEY, min_size=1, max_size=4)
_PICK: Final = st.integers(0, 999)


class Chain(RuleBasedStateMachine):
    """A source whose changes wait in a topic, and the pipeline that reads them in batches, crashes and is mended."""

    pipeline_class: type[Pipeline] = Pipeline

    @initialize(number=st.integers(0, 2**32 - 1), is_tracked=st.booleans())
    def begin(self, number: int, is_tracked: bool) -> None:
        random = Random(number)
        self.source = Source(random)
        self.run = Run(random, self.pipeline_class(is_tracked), [])
        self.pipeline = self.run.pipeline
        self.records: list[Record] = []
        self.read = self.sent = self.batch_id = 0
        self.unfinished: tuple[Batch, list[Record]] | None = None
        self.is_settled = True
        self.source.rows = {key: (self.source._value(), self.source._text()) for key in range(random.randrange(KEYS))}
        self.snapshot()

    # The source.

    @rule(key=_KEY)
    def insert(self, key: int) -> None:
        self._delete(key)
        self._commit(self.source._insert(key))

    @rule(keys=_KEYS, leaves_out_b=st.booleans())
    def update(self, keys: list[int], leaves_out_b: bool) -> None:
        for key in keys:
            self._insert(key)
            self.source.sent.append(self.source._update(key, leaves_out_b))
        self._commit()

    @rule(keys=_KEYS)
    def delete(self, keys: list[int]) -> None:
        for key in keys:
            self._insert(key)
            self._delete(key)
        self._commit()

    @rule(old=_KEY, new=_KEY)
    def change_key(self, old: int, new: int) -> None:
        if old != new:
            self._insert(old)
            self._delete(new)
            self._commit(self.source._change_key(old, new))

    @rule()
    def truncate(self) -> None:
        self.source._truncate()
        self._commit()

    @rule()
    def ddl(self) -> None:
        """Column b is dropped, or added."""
        self.source.has_b = not self.source.has_b
        self.source.always_has_b = False

    @rule()
    def snapshot(self) -> None:
        self.source.epoch += bool(self.sent)
        self.source._take_snapshot()
        self._commit()

    @rule()
    def lose_slot(self) -> None:
        """Something happens that no stream tells, then a new slot begins with a snapshot."""
        self.source._live_uncaptured()
        self.snapshot()

    @rule()
    def forge(self) -> None:
        """A second event at the position of an earlier one."""
        if self.source.sent:
            self.source._forge()
            self._commit()

    @rule(start=_PICK, length=st.integers(1, 8))
    def replay(self, start: int, length: int) -> None:
        """A restarted connector sends a span of changes again, at new offsets."""
        sent = self.source.sent
        start %= max(1, len(sent))
        self._produce(*((EVENT, change) for change in sent[start : start + length]))

    @rule(kind=st.sampled_from([TOMBSTONE, CONTROL, GARBAGE]))
    def noise(self, kind: int) -> None:
        self._produce((kind, None))

    # The pipeline.

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=st.integers(1, 12), order=_PICK, settles=st.booleans())
    def consume(self, size: int, order: int, settles: bool) -> None:
        batch, records = self._next_batch(size, order)
        self.pipeline.process(batch, records, settles)
        self._finish(batch, records, settles)

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=st.integers(1, 12), order=_PICK, fuse=st.integers(1, BOUNDARIES))
    def crash(self, size: int, order: int, fuse: int) -> None:
        """The process dies in a batch, which stays unfinished until somebody consumes again."""
        batch, records = self._next_batch(size, order)
        self.unfinished = batch, records
        try:
            self.pipeline.process(batch, records, settles=True, fuse=fuse)
        except Crash:
            self.is_settled = False
        else:
            self._finish(batch, records, settles=True)

    @precondition(lambda self: self.unfinished is None)
    @rule(offset=_PICK)
    def lose_checkpoint(self, offset: int) -> None:
        self.run.query, self.batch_id = self.run.query + 1, 0
        self.read = offset % (self.read + 1)

    @rule(place=_PICK)
    def repair(self, place: int) -> None:
        """A quarantined event comes back with a good value, at its own sequence."""
        if bad := [change for change in self.run.events if change.is_bad]:
            self._produce((EVENT, bad[place % len(bad)]._replace(a=7)))

    # The storage.

    @rule()
    def optimize(self) -> None:
        """Files are rewritten: rows and settled position stay, and a settle finds nothing new in them."""
        if self.is_settled and self.unfinished is None:
            changed = self.pipeline.changed
            self.pipeline.settle()
            assert self.pipeline.changed == changed

    @rule()
    def vacuum(self) -> None:
        """The note of how far the history is settled goes with old commits: all of the log is settled again."""
        self.pipeline.settled = 0

    @invariant()
    def intervals(self) -> None:
        """H2, at each moment, crashed or not."""
        for versions in self.pipeline.history.values():
            ordered = [versions[position] for position in sorted(versions)]
            assert sum(version.end_sequence is None for version in ordered) <= 1
            for earlier, later in itertools.pairwise(ordered):
                assert earlier.end_sequence is not None
                assert earlier.end_sequence <= later.sequence
                assert earlier.effective_from <= (earlier.effective_to or 0) <= later.effective_from

    def teardown(self) -> None:
        if sys.exception() is not None:
            return
        while self.unfinished or self.read < len(self.records):
            self.consume(len(self.records), 0, settles=True)
        self.run.check_side_tables()
        self.run.check_current_rows(self.source)
        self.run.check_repetition()

    def _insert(self, key: int) -> None:
        """Within the transaction that is open; where the row isn't there."""
        if key not in self.source.rows:
            self.source.sent.append(self.source._insert(key))

    def _delete(self, key: int) -> None:
        """Within the transaction that is open; where the row is there."""
        if self.source.rows.pop(key, None) is not None:
            self.source.sent.append(self.source._log(key, "DELETE"))

    def _commit(self, *changes: Change) -> None:
        self.source.sent += changes
        self.source._tick()
        self._produce(*((EVENT, change) for change in self.source.sent[self.sent :]))
        self.sent = len(self.source.sent)

    def _produce(self, *payloads: tuple[int, Change | None]) -> None:
        first = len(self.records)
        self.records += [Record(0, first + number, *payload) for number, payload in enumerate(payloads)]
        self.run.records = self.records

    def _next_batch(self, size: int, order: int) -> tuple[Batch, list[Record]]:
        if self.unfinished:
            return self.unfinished
        records = self.records[self.read : self.read + size]
        Random(order).shuffle(records)
        batch = (self.run.query, self.batch_id)
        self.read, self.batch_id = self.read + len(records), self.batch_id + 1
        return batch, records

    def _finish(self, batch: Batch, records: list[Record], settles: bool) -> None:
        self.unfinished, self.is_settled, self.pipeline.fuse = None, settles, 0
        self.run.batches.append(batch)
        self.run._remember(records)
        if settles:
            self.run.check_history()


def run_machine(number: int, pipeline_class: type[Pipeline] = Pipeline, *, shrinks: bool = True) -> None:
    """Runs the examples of one seed, always the same ones; what fails is shrunk to its shortest story."""
    machine = type("Chain", (Chain,), {"pipeline_class": pipeline_class})
    seed(number)(machine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
