"""Runs rivals in turn on the same batches, each round in another order, and keeps what each round cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import mean, median
from typing import Protocol

from pyspark.sql import DataFrame

from fluvial.io.session import suit_batch_size
from tests.benchmarks.cost import Cost, Meter
from tests.benchmarks.rivals import MANY, Rival, Write


class Batches(Protocol):
    """Micro-batches of equal size; every rival reads the same files."""

    rows: int

    def batch(self, number: int) -> DataFrame:
        """Records as Spark's Kafka source gives them."""


@dataclass
class Series:
    """The rounds of one rival, without the warm-up; but the bytes of all, which no compiler changes."""

    name: str
    events: int
    """In one round."""
    batches: int
    """In one round."""
    rounds: list[Cost] = field(default_factory=list)
    bytes_written: list[int] = field(default_factory=list)

    def add(self, cost: Cost, *, is_warm_up: bool) -> None:
        """One more round."""
        self.bytes_written.append(cost.bytes_written)
        if not is_warm_up:
            self.rounds.append(cost)

    @property
    def cpu_seconds(self) -> float:
        """Of a round."""
        return median(cost.cpu_seconds for cost in self.rounds)

    @property
    def compiler_seconds(self) -> float:
        """Of a round."""
        return median(cost.compiler_seconds for cost in self.rounds)

    @property
    def events_per_cpu_second(self) -> float:
        """The figure that the targets speak of."""
        return self.events / self.cpu_seconds

    @property
    def jobs_per_batch(self) -> float:
        """The median round's."""
        return median(cost.jobs for cost in self.rounds) / self.batches

    @property
    def bytes_per_event(self) -> float:
        """Written, the mean round's: which files late events reach differs from one to the next."""
        return mean(self.bytes_written) / self.events


class Rounds(Protocol):
    """A rival's rounds, in whichever driver."""

    def series(self, name: str) -> Series:
        """Where they will stand."""

    def run(self, number: int) -> Cost:
        """Runs one."""


@dataclass(frozen=True)
class Entry:
    """A rival, what it reads, how many batches make one round of it, and what happens to each before it is measured."""

    meter: Meter
    rival: Rival
    stream: Batches
    per_round: int = 1
    before: Write | None = None

    def series(self, name: str) -> Series:
        """Where its rounds will stand."""
        return Series(name, self.per_round * self.stream.rows, self.per_round)

    def run(self, number: int) -> Cost:
        """The round's own batches, in this process."""
        batches = range(number * self.per_round, (number + 1) * self.per_round)
        frames = [(batch, self.stream.batch(batch)) for batch in batches]
        # Fluvial suits the session to its small batches: not the others' choice.
        suit_batch_size(self.meter.session, MANY)
        if self.before is not None:
            _write_all(self.before, frames)
        return self.meter.measure(lambda: _write_all(self.rival.write, frames), self.rival.folder)


def ratio(ours: Series, theirs: Series) -> float:
    """How much CPU of `theirs` goes into one of `ours`: the median of the rounds' ratios, each of one moment."""
    pairs = zip(ours.rounds, theirs.rounds, strict=True)
    return median(their.cpu_seconds / our.cpu_seconds for our, their in pairs) * ours.events / theirs.events


def extra_cpu_seconds(ours: Series, base: Series) -> float:
    """What `ours` costs beyond `base`: the median of the rounds' differences, each of one moment."""
    pairs = zip(ours.rounds, base.rounds, strict=True)
    return median(our.cpu_seconds - their.cpu_seconds for our, their in pairs)


@dataclass(frozen=True)
class Run:
    """How many rounds; of the first `warm_up` ones, for the JVM's compilers, only the bytes count."""

    rounds: int
    warm_up: int
    report: Callable[[str], None]


def run_in_turn(run: Run, rivals: Mapping[str, Rounds]) -> dict[str, Series]:
    """Every rival once in each round."""
    series = {name: rounds.series(name) for name, rounds in rivals.items()}
    for number in range(run.rounds):
        for name, rounds in _shuffled(rivals, number):
            cost = rounds.run(number)
            series[name].add(cost, is_warm_up=number < run.warm_up)
            run.report(f"round {number + 1}/{run.rounds} {name}: {_spent(cost, series[name])}")
    return series


def _write_all(write: Write, frames: Sequence[tuple[int, DataFrame]]) -> None:
    for batch, records in frames:
        write(records, batch)


def _spent(cost: Cost, series: Series) -> str:
    spent = f"{cost.cpu_seconds:.2f} CPU-s, {cost.compiler_seconds:.2f} of them compilers"
    return f"{spent}, {series.events / cost.cpu_seconds:,.0f} events/CPU-s, {cost.jobs} jobs"


def _shuffled(rivals: Mapping[str, Rounds], number: int) -> list[tuple[str, Rounds]]:
    """What one leaves to the collector, the next one pays: it isn't the same one in each round."""
    listed = list(rivals.items())
    return Random(number).sample(listed, len(listed))
