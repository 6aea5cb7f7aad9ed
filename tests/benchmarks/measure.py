"""Runs rivals in turn (A B C, A B C, …) on the same batches, and keeps what each round cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.cost import Cost, Meter
from tests.benchmarks.rivals import Rival
from tests.benchmarks.telemetry import Stream


@dataclass(frozen=True)
class Entry:
    """A rival and the stream it reads; both streams of a benchmark hold the same rows, one a share of bad ones."""

    rival: Rival
    stream: Stream


@dataclass
class Series:
    """The rounds of one rival, without the warm-up."""

    name: str
    events: int
    """In one round."""
    batches: int
    """In one round."""
    rounds: list[Cost] = field(default_factory=list)

    @property
    def cpu_seconds(self) -> float:
        """Of a round."""
        return median(cost.cpu_seconds for cost in self.rounds)

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
        """Written."""
        return median(cost.bytes_written for cost in self.rounds) / self.events


def ratio(ours: Series, theirs: Series) -> float:
    """How much CPU of `theirs` goes into one of `ours`: the median of the rounds' ratios, each of one moment."""
    pairs = zip(ours.rounds, theirs.rounds, strict=True)
    return median(their.cpu_seconds / our.cpu_seconds for our, their in pairs) * ours.events / theirs.events


def run_in_turn(
    meter: Meter,
    entries: Mapping[str, Entry],
    rounds: Sequence[Sequence[int]],
    warm_up: int,
    report: Callable[[str], None],
) -> dict[str, Series]:
    """`rounds` lists the batches of each round; the first `warm_up` rounds are for the JVM's compilers."""
    series = {name: Series(name, len(rounds[0]) * entry.stream.rows, len(rounds[0])) for name, entry in entries.items()}
    for number, batches in enumerate(rounds):
        for name, entry in _rotated(entries, number):
            cost = meter.measure(lambda entry=entry, batches=batches: _write(entry, batches), entry.rival.folder)
            if number >= warm_up:
                series[name].rounds.append(cost)
            pace = series[name].events / cost.cpu_seconds
            report(f"round {number + 1}/{len(rounds)} {name}: {cost.cpu_seconds:.2f} CPU-s, {pace:,.0f} events/CPU-s")
    return series


def _rotated(entries: Mapping[str, Entry], by: int) -> list[tuple[str, Entry]]:
    """Each round begins with another rival, so that none always runs behind the same neighbour."""
    listed, start = list(entries.items()), by % len(entries)
    return [*listed[start:], *listed[:start]]


def _write(entry: Entry, batches: Sequence[int]) -> None:
    for batch in batches:
        entry.rival.write(entry.stream.batch(batch), batch)
