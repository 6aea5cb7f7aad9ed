"""How much more than the floor the whole chain costs, for each envelope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from fluvial.config.model import UseCase
from tests.benchmarks.close_then_append import CloseThenAppend
from tests.benchmarks.cost import Meter
from tests.benchmarks.deequ import FastPathWithDeequ
from tests.benchmarks.measure import Entry, Run, Series, run_in_turn
from tests.benchmarks.own_driver import own_drivers
from tests.benchmarks.rivals import FastPath, Floor, Rival, WholeJob, settled_every, without_metrics
from tests.benchmarks.telemetry import Stream, only_table

BAD_SHARE: Final = 0.02


@dataclass(frozen=True)
class Size:
    """How much is run; `micro` batches are the small ones that are settled."""

    rows: int
    rounds: int
    warm_up: int
    micro_rounds: int
    micro_warm_up: int = 1
    micro_batches: int = 8
    """In a round."""
    micro_rows: int = 20_000


FULL: Final = Size(rows=200_000, rounds=44, warm_up=34, micro_rounds=6, micro_warm_up=3)
"""Large batches are as large as a lane's are by default, when it catches up; the compilers take 35 of them to end."""
QUICK: Final = Size(rows=50_000, rounds=3, warm_up=1, micro_rounds=2, micro_batches=3)


def _fast_path(folder: Path, case: UseCase, envelope: str, session: SparkSession, rows: int) -> Rival:
    return FastPath(folder, case, session, rows)


Large = Callable[[Path, UseCase, str, SparkSession, int], Rival]
"""(folder, use case, envelope, session, rows of a batch) -> a rival of the large batches."""

BAD: Final = "fast path, 2 % bad"
LARGE_RIVALS: Final[Mapping[str, Large]] = {
    "floor": lambda folder, case, envelope, session, rows: Floor(folder, only_table(case), envelope),
    "fast path": _fast_path,
    BAD: _fast_path,
    "fast path without metrics": lambda folder, case, envelope, session, rows: FastPath(
        folder, without_metrics(case), session, rows
    ),
    "fast path with PyDeequ": lambda folder, case, envelope, session, rows: FastPathWithDeequ(
        folder, case, session, None
    ),
}


@dataclass(frozen=True)
class PipelineFloor:
    """The benchmark in one session, below one folder."""

    session: SparkSession
    use_case: UseCase
    folder: Path
    size: Size
    report: Callable[[str], None]

    def run_large(self, envelope: str) -> dict[str, Series]:
        """T1 and the first half of T2: large batches that nobody settles, each rival's in a driver of its own."""
        for bad_share in (0, BAD_SHARE):
            self._stream(envelope, self.size.rows, bad_share).prepare(self.size.rounds)
        make = partial(large_entry, self.use_case, self.folder, envelope, self.size.rows)
        with own_drivers({name: partial(make, name) for name in LARGE_RIVALS}) as drivers:
            return run_in_turn(Run(self.size.rounds, self.size.warm_up, self.report), drivers)

    def run_micro(self, envelope: str) -> dict[str, Series]:
        """The second half of T2, and the first half of T4: micro-batches with updates, settled."""
        per_round = self.size.micro_batches
        stream = self._stream(envelope, self.size.micro_rows, BAD_SHARE).prepare(self.size.micro_rounds * per_round)
        folder, table, meter = self.folder / f"micro-{envelope}", only_table(self.use_case), Meter(self.session)
        lazy = settled_every(self.use_case, per_round * self.size.micro_rows)
        rivals: dict[str, Rival] = {
            "floor": Floor(folder / "floor", table, envelope),
            "whole job, settled each batch": WholeJob(
                folder / "each", self.use_case, self.session, self.size.micro_rows
            ),
            "whole job, settled once a round": WholeJob(folder / "every", lazy, self.session, self.size.micro_rows),
            "close then append": CloseThenAppend(folder / "classic", table, envelope),
        }
        entries = {name: Entry(meter, rival, stream, per_round) for name, rival in rivals.items()}
        return run_in_turn(Run(self.size.micro_rounds, self.size.micro_warm_up, self.report), entries)

    def _stream(self, envelope: str, rows: int, bad_share: float) -> Stream:
        return Stream(self.session, self.folder / "input", envelope, rows, bad_share)


def large_entry(use_case: UseCase, folder: Path, envelope: str, rows: int, name: str, meter: Meter) -> Entry:
    """One of LARGE_RIVALS, over batches that are prepared."""
    rival = LARGE_RIVALS[name](folder / f"large-{envelope}" / name, use_case, envelope, meter.session, rows)
    bad_share = BAD_SHARE if name == BAD else 0
    return Entry(meter, rival, Stream(meter.session, folder / "input", envelope, rows, bad_share))
