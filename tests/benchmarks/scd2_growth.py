"""What a micro-batch of 2,000 changes costs as history grows, for Fluvial and for other ways to keep SCD2."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame, SparkSession

from fluvial.config.model import Table
from fluvial.io.events_file import RECORD_SCHEMA
from tests.benchmarks.accounts import Life, accounts_use_case, batch_records
from tests.benchmarks.close_then_append import CloseThenAppend
from tests.benchmarks.cost import Meter
from tests.benchmarks.delta_rs import DeltaRs
from tests.benchmarks.iceberg import IcebergMerge
from tests.benchmarks.long_lake import LongLake
from tests.benchmarks.measure import Entry, Run, Series, run_in_turn
from tests.benchmarks.rivals import FastPath, Rival, SettleStep, WholeJob, settled_every
from tests.benchmarks.session import with_defaults
from tests.benchmarks.single_merge import SingleMerge
from tests.benchmarks.telemetry import only_table

ROWS: Final = 2_000
BATCHES: Final = 8
"""Between two settles of the policy that is measured beside `each_batch`."""
SETTLE: Final = "settle step alone"
EACH: Final = "Fluvial, settled each batch"
EVERY: Final = f"Fluvial, settled every {BATCHES} batches"
CLASSIC: Final = "close then append"
UNTUNED: Final = "close then append, Spark's defaults"
SINGLE: Final = "single MERGE of Delta's documentation"
ICEBERG: Final = "the same on Iceberg"
DELTA_RS: Final = "the same by delta-rs, without Spark"


@dataclass(frozen=True)
class Size:
    """How much is run."""

    keys: int
    histories: tuple[int, ...]
    rounds: int
    warm_up: int


FULL: Final = Size(keys=20_000, histories=(1, 10, 100), rounds=14, warm_up=6)
SKEWED: Final = Size(keys=20_000, histories=(1, 100), rounds=14, warm_up=6)
"""As many rounds: until they reach further back than late events do, each batch is compared with the log."""
QUICK: Final = Size(keys=20_000, histories=(1, 10, 100), rounds=3, warm_up=1)
LARGE: Final = Size(keys=1_000_000, histories=(1, 4), rounds=8, warm_up=5)


@dataclass(frozen=True)
class Changes:
    """The measured batches of one life, each written once."""

    session: SparkSession
    folder: Path
    life: Life
    rows: int = ROWS

    def batch(self, number: int) -> DataFrame:
        """Records as Spark's Kafka source gives them."""
        path = self.folder / str(number)
        if not path.exists():
            batch_records(self.session, self.life, number, self.rows).write.parquet(str(path))
        return self.session.read.schema(RECORD_SCHEMA).parquet(str(path))


@dataclass(frozen=True)
class Scd2Growth:
    """The benchmark in one session, below one folder."""

    session: SparkSession
    folder: Path
    size: Size
    report: Callable[[str], None]

    def run(self, *, is_skewed: bool) -> dict[str, dict[str, Series]]:
        """Series by rival, by history; in each round every rival meets every history."""
        lives = [Life(self.size.keys, history, is_skewed) for history in self.size.histories]
        entries = {(life.name, rival): entry for life in lives for rival, entry in self._entries(life)}
        named = {" | ".join(place): entry for place, entry in entries.items()}
        series = run_in_turn(Run(self.size.rounds, self.size.warm_up, self.report), named)
        return {
            life.name: {rival: series[f"{name} | {rival}"] for name, rival in entries if name == life.name}
            for life in lives
        }

    def _entries(self, life: Life) -> Iterator[tuple[str, Entry]]:
        """Each rival on a copy of the same lake."""
        self.report(f"building {life.name}")
        case, place = accounts_use_case(), self._copies(life)
        table, changes = only_table(case), Changes(self.session, self.folder / life.name / "changes", life)
        meter = Meter(self.session)
        taker = FastPath(place("settle"), case, self.session, ROWS)
        yield SETTLE, Entry(meter, SettleStep(taker.folder, taker.writer), changes, before=taker.write)
        yield EACH, Entry(meter, WholeJob(place("each"), case, self.session, ROWS), changes)
        lazy = WholeJob(place("every"), settled_every(case, BATCHES * ROWS), self.session, ROWS)
        yield EVERY, Entry(meter, lazy, changes, BATCHES)
        yield from ((name, Entry(meter, rival, changes)) for name, rival in self._usual_designs(place, table))
        yield UNTUNED, self._untuned(place("untuned"), table, changes)

    def _untuned(self, folder: Path, table: Table, changes: Changes) -> Entry:
        """The design as it stands in most jobs: in a session that nobody has tuned."""
        plain = with_defaults(self.session)
        return Entry(Meter(plain), CloseThenAppend(folder, table, "debezium"), replace(changes, session=plain))

    def _usual_designs(self, place: Callable[[str], Path], table: Table) -> Iterator[tuple[str, Rival]]:
        yield CLASSIC, CloseThenAppend(place("classic"), table, "debezium")
        yield SINGLE, SingleMerge(place("single"), table, "debezium")
        on_iceberg = IcebergMerge(place("iceberg"), table, "debezium")
        on_iceberg.begin(self.session)
        yield ICEBERG, on_iceberg
        yield DELTA_RS, DeltaRs(place("delta-rs"), table)

    def _copies(self, life: Life) -> Callable[[str], Path]:
        original = self.folder / life.name / "lake"
        LongLake(self.session, accounts_use_case(), life, original).build()

        def copy(name: str) -> Path:
            return Path(shutil.copytree(original, self.folder / life.name / name))

        return copy
