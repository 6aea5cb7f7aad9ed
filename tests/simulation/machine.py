"""Tier 1: Hypothesis tries sequences of operations on source, connector, pipeline and storage, and shrinks what fails.

Same source, same pipeline and same oracle as the simulation; what happens next is Hypothesis's choice, not a dice's.
"""

import itertools
import sys
from random import Random
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.simulation.delivery import EVENT, Record
from tests.simulation.model import BOUNDARIES, Batch, Crash, Pipeline
from tests.simulation.simulate import Run
from tests.simulation.source_rules import PICK, SourceRules, run_examples

STEPS: Final = 50
EXAMPLES: Final = 200
"""Of one seed."""


class Chain(SourceRules):
    """The pipeline that reads the topic in batches, crashes and is mended."""

    pipeline_class: type[Pipeline] = Pipeline

    @initialize(number=st.integers(0, 2**32 - 1), is_tracked=st.booleans())
    def begin(self, number: int, is_tracked: bool) -> None:
        self.open_source(number)
        self.run = Run(Random(number), self.pipeline_class(is_tracked), [])
        self.pipeline = self.run.pipeline
        self.is_settled = True

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=st.integers(1, 12), order=PICK, settles=st.booleans())
    def consume(self, size: int, order: int, settles: bool) -> None:
        batch, records = self._next_batch(size, order)
        self.pipeline.process(batch, records, settles)
        self._finish(batch, records, settles)

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=st.integers(1, 12), order=PICK, fuse=st.integers(1, BOUNDARIES))
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

    @rule(offset=PICK)
    def lose_checkpoint(self, offset: int) -> None:
        """Also in the middle of a batch, which is then nobody's."""
        if self.unfinished is not None:
            self.run.lose(*self.unfinished)
            self.read, self.unfinished = self.read - len(self.unfinished[1]), None
        self.query, self.batch_id = self.query + 1, 0
        self.read = offset % (self.read + 1)

    @rule(place=PICK)
    def repair(self, place: int) -> None:
        """A quarantined event comes back with a good value, at its own sequence."""
        if bad := [change for change in self.run.events if change.is_bad]:
            self._produce((EVENT, bad[place % len(bad)]._replace(a=7)))

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
        self.run.records, self.run.query = self.records, self.query
        self.run.check_side_tables()
        self.run.check_current_rows(self.source)
        self.run.check_repetition()

    def _finish(self, batch: Batch, records: list[Record], settles: bool) -> None:
        self.unfinished, self.is_settled, self.pipeline.fuse = None, settles, 0
        self.run.batches.append(batch)
        self.run.remember(records)
        if settles:
            self.run.check_history()


def run_machine(number: int, pipeline_class: type[Pipeline] = Pipeline, *, shrinks: bool = True) -> None:
    """Runs the examples of one seed, always the same ones; what fails is shrunk to its shortest story."""
    run_examples(type("Chain", (Chain,), {"pipeline_class": pipeline_class}), number, EXAMPLES, STEPS, shrinks=shrinks)
