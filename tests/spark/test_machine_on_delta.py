"""Tier 1 on real Spark and Delta: fewer examples, but with a real OPTIMIZE, VACUUM and quarantine replay among them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from pyspark.sql import SparkSession

from fluvial.config.locations import TableLocations
from fluvial.io.failpoints import FAILPOINTS, Crash, CrashAt
from fluvial.io.quarantine_replay import QuarantineReplayer
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection
from tests.campaign import sized
from tests.simulation.delivery import GARBAGE, Record
from tests.simulation.source import Change
from tests.simulation.source_rules import PICK, SourceRules, run_examples
from tests.spark.lake_checks import check_dead_letters, check_table
from tests.spark.lakes import Lake
from tests.spark.packs import USE_CASE, Message, events_of, sequence_of, value_of
from tests.spark.stories import TABLE

SEED = 1
"""Every row of the machine belongs to this seed of the packed table."""
SIZE = st.integers(3, 30)
EXAMPLES, STEPS = 3, 14
"""The first example of a seed is always the plainest one."""


class ChainOnDelta(SourceRules):
    """The shipped writer, a lake of its own for each example."""

    spark: SparkSession

    @initialize(number=st.integers(0, 2**32 - 1))
    def begin(self, number: int) -> None:
        self.open_source(number)
        self.folder = tempfile.TemporaryDirectory(prefix="fluvial-machine-")
        self.lake = Lake(self.spark, Path(self.folder.name))
        self.delivered: set[Record] = set()
        self.repaired: set[Change] = set()

    @property
    def places(self) -> TableLocations:
        return self.lake.locations.table(USE_CASE.table(TABLE))

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=SIZE, order=PICK)
    def consume(self, size: int, order: int) -> None:
        (query, batch), records = self._next_batch(size, order)
        self.lake.write(_messages(records), batch, query=f"query-{query}")
        self.unfinished = None
        self.delivered |= set(records)
        self.check()

    @precondition(lambda self: self.read < len(self.records) or self.unfinished)
    @rule(size=SIZE, order=PICK, place=st.sampled_from(FAILPOINTS))
    def crash(self, size: int, order: int, place: str) -> None:
        """The process dies in a batch, unless the batch has nothing to write there."""
        (query, batch), records = self.unfinished = self._next_batch(size, order)
        try:
            self.lake.write(_messages(records), batch, CrashAt(place), query=f"query-{query}")
        except Crash:
            self.lake.check_each_commit()
        else:
            self.unfinished = None
            self.delivered |= set(records)

    @precondition(lambda self: self.unfinished is None)
    @rule(offset=PICK)
    def lose_checkpoint(self, offset: int) -> None:
        self.query, self.batch_id = self.query + 1, 0
        self.read = offset % (self.read + 1)

    @precondition(lambda self: self.unfinished is None and self.lake.exists(TABLE))
    @rule(place=PICK)
    def repair(self, place: int) -> None:
        """A quarantined event leaves the quarantine with a good value, through the shipped replay."""
        bad = [record.change for record in self.delivered if record.change and record.change.is_bad]
        if waiting := sorted(set(bad) - self.repaired):
            change = waiting[place % len(waiting)]
            key = {"seed": str(SEED), "id": str(change.key)}
            repair = Repair(sequence_of(change), key, {"a": "7"}, 1)
            replayer = QuarantineReplayer(self.spark, USE_CASE.table(TABLE), self.lake.locations, "machine")
            replayer.replay(Selection(repairs=(repair,)))
            self.repaired.add(change)
            self.check()

    @precondition(lambda self: self.lake.exists(TABLE))
    @rule(is_log=st.booleans())
    def optimize(self, is_log: bool) -> None:
        self.spark.sql(f"OPTIMIZE delta.`{self.places.log if is_log else self.places.history}`")

    @precondition(lambda self: self.unfinished is None and self.lake.exists(TABLE))
    @rule(is_log=st.booleans())
    def vacuum(self, is_log: bool) -> None:
        """Everything is settled, so nobody reads an old file: a retention of nothing is one that covers the lag."""
        self.lake.check_each_commit()
        self.spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
        self.spark.sql(f"VACUUM delta.`{self.places.log if is_log else self.places.history}` RETAIN 0 HOURS")

    def check(self) -> None:
        changes = {record.change for record in self.delivered if record.change}
        changes |= {change._replace(a=7) for change in self.repaired}
        self.lake.check_each_commit()
        check_table(self.lake.path, TABLE, set().union(*(events_of(TABLE, SEED, change) for change in changes)))

    def teardown(self) -> None:
        if not hasattr(self, "lake"):
            return
        while self.unfinished or self.read < len(self.records):
            self.consume(len(self.records), 0)
        check_dead_letters(self.lake.path, len({record for record in self.records if record.kind == GARBAGE}))
        self.folder.cleanup()


def _messages(records: Sequence[Record]) -> list[Message]:
    return [Message(TABLE, record.offset, value_of(TABLE, SEED, record)) for record in records]


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("number", sized(1, 10), ids="seed{}".format)
def test_no_sequence_of_operations_parts_a_real_lake_from_the_oracle(spark: SparkSession, number: int) -> None:
    machine = type("ChainOnDelta", (ChainOnDelta,), {"spark": spark})
    run_examples(machine, number, EXAMPLES, STEPS, shrinks=False)
