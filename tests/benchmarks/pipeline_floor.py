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
    micro_warm_up: int
    micro_batches: int = 8
    """In a round."""
    micro_rows: int = 20_000


FULL: Final = Size(rows=200_000, rounds=44, warm_up=34, micro_rounds=16, micro_warm_up=8)
"""Large batches are as large as a lane's are by default, when it catches up; the compilers take 35 of them to end, and
twice as many small ones."""
QUICK: Final = Size(rows=50_000, rounds=3, warm_up=1, micro_rounds=2, micro_warm_up=1, micro_batches=3)


def _fast_path(folder: Path, case: UseCase, envelope: str, session: SparkSession, rows: int) -> Rival:
    return FastPath(folder, case, session, rows)


def _floor(folder: Path, case: UseCase, envelope: str, session: SparkSession, rows: int) -> Rival:
    return Floor(folder, only_table(case), envelope)


def _settled_once(folder: Path, case: UseCase, envelope: str, session: SparkSession, rows: int, every: int) -> Rival:
    return WholeJob(folder, settled_every(case, every * rows), session, rows)


MakeRival = Callable[[Path, UseCase, str, SparkSession, int], Rival]
"""(folder, use case, envelope, session, rows of a batch) -> a rival."""

BAD: Final = "fast path, 2 % bad"
LARGE_RIVALS: Final[Mapping[str, MakeRival]] = {
    "floor": _floor,
    "fast path": _fast_path,
    BAD: _fast_path,
    "fast path without metrics": lambda folder, case, envelope, session, rows: FastPath(
        folder, without_metrics(case), session, rows
    ),
    "fast path with PyDeequ": lambda folder, case, envelope, session, rows: FastPathWithDeequ(
        folder, case, session, None
    ),
}
EACH: Final = "whole job, settled each batch"
ONCE: Final = "whole job, settled once a round"


def micro_rivals(batches: int) -> Mapping[str, MakeRival]:
    """Those of the micro-batches, so many of which make a round."""
    return {
        "floor": _floor,
        EACH: lambda folder, case, envelope, session, rows: WholeJob(folder, case, session, rows),
        ONCE: partial(_settled_once, every=batches),
        "close then append": lambda folder, case, envelope, session, rows: CloseThenAppend(
            folder, only_table(case), envelope
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
        """The second halves of T2 and T6: micro-batches with updates, settled, each rival's in a driver of its own."""
        size = self.size
        self._stream(envelope, size.micro_rows, BAD_SHARE).prepare(size.micro_rounds * size.micro_batches)
        make = partial(micro_entry, self.use_case, self.folder, envelope, size)
        with own_drivers({name: partial(make, name) for name in micro_rivals(size.micro_batches)}) as drivers:
            return run_in_turn(Run(size.micro_rounds, size.micro_warm_up, self.report), drivers)

    def _stream(self, envelope: str, rows: int, bad_share: float) -> Stream:
        return Stream(self.session, self.folder / "input", envelope, rows, bad_share)


def large_entry(use_case: UseCase, folder: Path, envelope: str, rows: int, name: str, meter: Meter) -> Entry:
    """One of LARGE_RIVALS, over batches that are prepared."""
    rival = LARGE_RIVALS[name](folder / f"large-{envelope}" / name, use_case, envelope, meter.session, rows)
    bad_share = BAD_SHARE if name == BAD else 0
    return Entry(meter, rival, Stream(meter.session, folder / "input", envelope, rows, bad_share))


def micro_entry(use_case: UseCase, folder: Path, envelope: str, size: Size, name: str, meter: Meter) -> Entry:
    """One of the `micro_rivals`, over batches that are prepared."""
    make = micro_rivals(size.micro_batches)[name]
    rival = make(folder / f"micro-{envelope}" / name, use_case, envelope, meter.session, size.micro_rows)
    stream = Stream(meter.session, folder / "input", envelope, size.micro_rows, BAD_SHARE)
    return Entry(meter, rival, stream, size.micro_batches)
