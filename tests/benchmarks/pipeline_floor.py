"""How much more than the floor the whole chain costs, for each envelope."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from fluvial.config.model import UseCase
from tests.benchmarks.close_then_append import CloseThenAppend
from tests.benchmarks.cost import Meter
from tests.benchmarks.deequ import FastPathWithDeequ
from tests.benchmarks.measure import Entry, Run, Series, run_in_turn
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


FULL: Final = Size(rows=200_000, rounds=20, warm_up=14, micro_rounds=6, micro_warm_up=3)
"""Large batches are as large as a lane's are by default, when it catches up."""
QUICK: Final = Size(rows=50_000, rounds=3, warm_up=1, micro_rounds=2, micro_batches=3)


@dataclass(frozen=True)
class PipelineFloor:
    """The benchmark in one session, below one folder."""

    session: SparkSession
    use_case: UseCase
    folder: Path
    size: Size
    report: Callable[[str], None]

    def run_large(self, envelope: str) -> dict[str, Series]:
        """T1 and the first half of T2: large batches that nobody settles."""
        rows = self.size.rows
        clean = self._stream(envelope, rows, self.size.rounds, 0)
        bad = self._stream(envelope, rows, self.size.rounds, BAD_SHARE)
        place, table, case = self._place(f"large-{envelope}"), only_table(self.use_case), self.use_case
        entries = {
            "floor": Entry(Floor(place("floor"), table, envelope), clean),
            "fast path": Entry(FastPath(place("fast"), case, self.session, rows), clean),
            "fast path, 2 % bad": Entry(FastPath(place("bad"), case, self.session, rows), bad),
            "fast path without metrics": Entry(
                FastPath(place("plain"), without_metrics(case), self.session, rows), clean
            ),
            "fast path with PyDeequ": Entry(FastPathWithDeequ(place("deequ"), case, self.session, None), clean),
        }
        return self._run(entries, self.size.rounds, self.size.warm_up)

    def run_micro(self, envelope: str) -> dict[str, Series]:
        """The second half of T2, and the first half of T4: micro-batches with updates, settled."""
        per_round = self.size.micro_batches
        stream = self._stream(envelope, self.size.micro_rows, self.size.micro_rounds * per_round, BAD_SHARE)
        place, table = self._place(f"micro-{envelope}"), only_table(self.use_case)
        lazy = settled_every(self.use_case, per_round * self.size.micro_rows)
        rivals: dict[str, Rival] = {
            "floor": Floor(place("floor"), table, envelope),
            "whole job, settled each batch": WholeJob(place("each"), self.use_case, self.session, self.size.micro_rows),
            "whole job, settled once a round": WholeJob(place("every"), lazy, self.session, self.size.micro_rows),
            "close then append": CloseThenAppend(place("classic"), table, envelope),
        }
        entries = {name: Entry(rival, stream, per_round) for name, rival in rivals.items()}
        return self._run(entries, self.size.micro_rounds, self.size.micro_warm_up)

    def _run(self, entries: dict[str, Entry], rounds: int, warm_up: int) -> dict[str, Series]:
        return run_in_turn(Run(Meter(self.session), rounds, warm_up, self.report), entries)

    def _stream(self, envelope: str, rows: int, batches: int, bad_share: float) -> Stream:
        return Stream(self.session, self.folder / "input", envelope, rows, batches, bad_share).prepare()

    def _place(self, run: str) -> Callable[[str], Path]:
        return lambda rival: self.folder / run / rival
