"""One integer seed is one life of source, connector, broker and pipeline, checked against the oracle all along.

`make simulate SEEDS=100000` runs many; `python -m tests.simulation.simulate --seed N` runs one again.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from tests.oracle.fold import Event, fold
from tests.simulation.bugs import KNOWN, PLANTED
from tests.simulation.delivery import GARBAGE, Record, deliver
from tests.simulation.derive import HistoryRow
from tests.simulation.model import BOUNDARIES, Batch, Crash, Pipeline
from tests.simulation.source import AUTHORED, Change, Source

PATIENCE: Final = 20_000
"""Seeds that a planted bug may survive: the rarest shows in one life of some 4,000."""
_CHUNK: Final = 500
_B: Final = frozenset({"b"})


class Violation(Exception):
    """What the pipeline did differs from what had to happen."""


def simulate(seed: int, pipeline_class: type[Pipeline] = Pipeline) -> None:
    """Runs one seed; raises Violation."""
    random = Random(seed)
    source = Source(random).live(2 + int(random.random() * 11))
    records = deliver(random, source.sent)
    run = Run(random, pipeline_class(is_tracked=random.random() < 0.4), records)
    run.consume()
    run.check_side_tables()
    run.check_current_rows(source)
    run.check_repetition()


class Run:
    """A consumer that reads all records, dies at random boundaries, and is checked after each settle."""

    def __init__(self, random: Random, pipeline: Pipeline, records: Sequence[Record]) -> None:
        self.random = random
        self.pipeline = pipeline
        self.records = records
        self.events: dict[Change, Event] = {}
        self.boundaries: dict[Change, Event] = {}
        self.batches: list[Batch] = []
        self.lost: set[Batch] = set()
        self.query = 0
        self.settles = 0.5 if random.random() < 0.3 else 1.0

    def consume(self) -> None:
        """Reads everything, sometimes a second time from an older offset under a new query id."""
        mean = 1 + self.random.random() * 14
        cursor = batch_id = 0
        while cursor < len(self.records):
            size = 1 + int(self.random.random() * mean)
            has_checkpoint = self._survive((self.query, batch_id), self.records[cursor : cursor + size])
            if has_checkpoint:
                cursor, batch_id = cursor + size, batch_id + 1
            if not has_checkpoint or self.random.random() < 0.02:
                cursor, batch_id, self.query = int(self.random.random() * (cursor + 1)), 0, self.query + 1

    def _survive(self, batch: Batch, records: Sequence[Record]) -> bool:
        """Whether the batch was finished; if not, the checkpoint is lost in its middle."""
        settles = self.random.random() < self.settles
        for _ in range(3):
            if self.random.random() > 0.15:
                break
            try:
                self.pipeline.process(batch, records, settles, fuse=1 + int(self.random.random() * BOUNDARIES))
            except Crash:
                self._lose_memory()
                if self.random.random() < 0.25:
                    self.lose(batch, records)
                    return False
        self.pipeline.process(batch, records, settles)
        self.batches.append(batch)
        self.remember(records)
        if settles:
            self.check_history()
        return True

    def lose(self, batch: Batch, records: Sequence[Record]) -> None:
        """Nobody finishes this batch; what it has logged is history all the same."""
        self.lost.add(batch)
        if any(row.batch == batch for row in self.pipeline.log):
            self.remember(records)

    def _lose_memory(self) -> None:
        if self.random.random() < 0.3:
            self.pipeline.settled = int(self.random.random() * (self.pipeline.settled + 1))

    def remember(self, records: Iterable[Record]) -> None:
        """These events have reached the log."""
        for record in records:
            if record.change is not None and record.change not in self.events:
                self.events[record.change] = event_of(record.change)
                if record.change.ends_snapshot:
                    self.boundaries[record.change] = boundary_of(record.change)

    def check_history(self) -> None:
        """H1, and with it H2 and H7."""
        track = ("a",) if self.pipeline.is_tracked else ()
        expected = [
            HistoryRow(
                key, sequence, operation, values["a"], values["b"], start, end, end_sequence, doubt, bool(unresolved)
            )
            for key, sequence, operation, values, start, end, end_sequence, doubt, unresolved in fold(
                [*self.events.values(), *self.boundaries.values()], track
            )
        ]
        actual = [row for _, rows in sorted(self.pipeline.history.items()) for _, row in sorted(rows.items())]
        if actual != expected:
            raise Violation(_difference(expected, actual, sorted(self.events, key=lambda change: change.lsn)))

    def check_side_tables(self) -> None:
        """H4, H5, H8: accounting, quarantine, metrics, and every event in the log once."""
        self.pipeline.settle()
        self.check_history()
        identities = Counter((row.key, row.sequence, row.operation, row.payload_hash) for row in self.pipeline.log)
        expected = Counter(
            (event.key, event.sequence, event.operation, event.payload_hash)
            for event in (*self.events.values(), *self.boundaries.values())
        )
        _require("log", set(expected) == set(identities) and set(identities.values()) <= {1})
        self._check_accounts()
        bad = Counter(
            (change.key, change.epoch, change.lsn, change.payload_hash) for change in self.events if change.is_bad
        )
        rows = Counter(
            (row.key, row.sequence[0], row.sequence[2], row.payload_hash) for row in self.pipeline.quarantine
        )
        _require("quarantine", rows == bad)
        letters = Counter(record.offset for record, _ in self.pipeline.dead_letters)
        garbage = Counter(record.offset for record in self.records if record.kind == GARBAGE)
        _require("dead letters", letters == garbage)
        measured = Counter(self.pipeline.metrics)
        _require("metrics", set(self.batches) <= set(measured) <= {*self.batches, *self.lost})
        _require("metrics", set(measured.values()) <= {1})

    def _check_accounts(self) -> None:
        """One for each batch, but for those that were lost half written."""
        accounts = self.pipeline.accounting
        logged = Counter(row.batch for row in self.pipeline.log if row.operation != "SNAPSHOT")
        dead = Counter(batch for _, batch in self.pipeline.dead_letters)
        _require("accounting", set(self.batches) <= set(accounts) <= {*self.batches, *self.lost})
        _require("accounting", {*logged, *dead} <= {*accounts, *self.lost})
        for batch, counts in accounts.items():
            _require("accounting", counts[0] == sum(counts[1:]) and min(counts) >= 0)
            _require("accounting", (counts[1] + counts[2], counts[3]) == (logged[batch], dead[batch]))

    def check_current_rows(self, source: Source) -> None:
        """H3, for keys whose every event was good and came from the source."""
        doubted = {change.key for change in self.events if change.is_bad} | source.forged
        seen = {change.key for change in self.events}
        truth = {key: row for key, row in source.rows.items() if key in seen and key not in doubted}
        current = {
            row.key: row
            for rows in self.pipeline.history.values()
            for row in rows.values()
            if row.end_sequence is None and row.key not in doubted
        }
        _require("current keys", current.keys() == truth.keys())
        _require("current a", all(current[key].a == a for key, (a, _) in truth.items()))
        resolved = {key: row for key, row in current.items() if source.always_has_b and not row.is_b_unresolved}
        _require("current b", all(row.b == truth[key][1] for key, row in resolved.items()))

    def check_repetition(self) -> None:
        """H6: the same records again, and settling everything again, change nothing."""
        changed, logged = self.pipeline.changed, len(self.pipeline.log)
        self.pipeline.process((self.query + 1, 0), self.records, settles=True)
        self.pipeline.settled = 0
        self.pipeline.settle()
        _require("repetition", (changed, logged) == (self.pipeline.changed, len(self.pipeline.log)))


def event_of(change: Change) -> Event:
    """A change as the oracle reads it."""
    sequence = (change.epoch, change.operation != "READ", change.lsn)
    left_out = frozenset[str]() if change.b_kind == AUTHORED else _B
    values = {"a": change.a} if left_out else {"a": change.a, "b": change.b}
    is_bad = change.a is not None and change.a < 0
    return Event(
        change.key, sequence, change.operation, change.commit_time, values, left_out, change.payload_hash, is_bad
    )


def boundary_of(change: Change) -> Event:
    """What the last row of a complete snapshot tells of every key, as the oracle reads it."""
    sequence, start = (change.epoch, False, change.lsn), (change.epoch, False, 0)
    return Event(None, sequence, "SNAPSHOT", change.commit_time, payload_hash=change.commit_time, epoch_start=start)


def _require(what: str, holds: bool) -> None:
    if not holds:
        raise Violation(what)


def _difference(expected: list[HistoryRow], actual: list[HistoryRow], events: list[Change]) -> str:
    lines = [f"  event    {change}" for change in events]
    lines += [f"  expected {row}" for row in expected if row not in actual]
    lines += [f"  found    {row}" for row in actual if row not in expected]
    return "\n".join(["history", *lines])


def first_violation(seeds: Iterable[int], pipeline_class: type[Pipeline] = Pipeline) -> tuple[int, str] | None:
    """The first failing seed and what was wrong, or None."""
    for seed in seeds:
        try:
            simulate(seed, pipeline_class)
        except Violation as violation:
            return seed, str(violation)
    return None


def command_of(seed: int) -> str:
    """The command that runs one seed again."""
    return f".venv/bin/python -m tests.simulation.simulate --seed {seed}"


def main() -> int:
    """Runs seeds on every core; status 1 on a violation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5000, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="run this one alone")
    options = parser.parse_args()
    if options.seed is not None:
        return _report(first_violation([options.seed]), 1, time.monotonic())
    return _run_many(options.first, options.seeds)


def _run_many(first: int, seeds: int) -> int:
    started = time.monotonic()
    chunks = [range(start, min(start + _CHUNK, first + seeds)) for start in range(first, first + seeds, _CHUNK)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for failure in pool.imap_unordered(first_violation, chunks):
            if failure is not None:
                pool.terminate()
                return _report(failure, seeds, started)
        _report(None, seeds, started)
        return _report_bugs(pool.map(_is_caught, range(len(PLANTED)), chunksize=1))


def _is_caught(number: int) -> bool:
    return first_violation(range(PATIENCE), PLANTED[number]) is not None


def _report_bugs(caught: Sequence[bool]) -> int:
    missed = [bug.__name__ for bug, is_caught in zip(PLANTED, caught, strict=True) if not is_caught]
    known = sum(bug.__name__ not in missed for bug in KNOWN.values())
    print(f"{sum(caught)} of {len(PLANTED)} planted bugs caught, {known} of {len(KNOWN)} well-known ones among them")
    if missed:
        print(f"not caught in {PATIENCE} seeds: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _report(failure: tuple[int, str] | None, seeds: int, started: float) -> int:
    if failure is None:
        elapsed = time.monotonic() - started
        print(f"{seeds} seeds, 0 violations, {elapsed:.1f} s ({seeds / max(elapsed, 0.001):.0f} seeds/s)")
        return 0
    print(f"seed {failure[0]}: {failure[1]}\nrun it again: {command_of(failure[0])}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
