"""Eight sessions write one table at once, its topic has ten partitions: history is right while they write, and after.

The tests are told in the order of the story.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.io.verify import verify_table
from fluvial.io.verify_source import SourceVerdict, verify_source
from fluvial.plan.steps import plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import PATIENCE_SECONDS, Pipeline
from tests.end_to_end.writers import Writers

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SESSIONS, PARTITIONS = 8, 10
COMMITS = 60
"""Of each session, before anything is compared."""


@dataclass
class Ledger:
    """The deployed table, and those who write it."""

    pipeline: Pipeline
    writers: Writers

    @property
    def dsn(self) -> str:
        return self.pipeline.stack.endpoints.postgres_dsn(self.pipeline.use_case.database_name)

    def compare_with_source(self) -> SourceVerdict:
        pipeline = self.pipeline
        return verify_source(
            pipeline.use_case, pipeline.home.lake, pipeline.use_case.tables[0], self.dsn, PATIENCE_SECONDS
        )

    def logged(self, columns: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.pipeline.query(f"select {columns} from accounts__log_all")]


@pytest.fixture(scope="module")
def ledger(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    config = tmp_path_factory.mktemp("config") / "ledger/tables.yaml"
    config.parent.mkdir()
    shutil.copy(Path(__file__).with_name("ledger.yaml"), config)
    use_case = load_use_case(config, local_placeholders())
    pipeline = Pipeline(stack, use_case, str(config))
    try:
        pipeline.run(plan_deployment(use_case))
        yield Ledger(pipeline, Writers(stack.endpoints.postgres_dsn(use_case.database_name), SESSIONS))
    finally:
        pipeline.run(plan_teardown(use_case))


@pytest.fixture(scope="module")
def busy(ledger: Ledger) -> Iterator[Ledger]:
    """Everyone writes, and has written for a while."""
    ledger.writers.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while min(ledger.writers.commits) < COMMITS:
        assert time.monotonic() < deadline, f"too slow: {ledger.writers.commits}"
        time.sleep(0.1)
    yield ledger
    ledger.writers.stop()


@pytest.fixture(scope="module")
def quiet(busy: Ledger) -> Ledger:
    """Nobody writes any more, and the table was emptied and filled again in the end."""
    busy.writers.stop()
    with psycopg.connect(busy.dsn) as source:
        source.execute("truncate accounts")
        source.execute("insert into accounts select 'late', number from generate_series(1, 50) as number")
        source.execute("delete from accounts where number % 7 = 3")
    return busy


def test_current_rows_are_those_of_the_source_while_everyone_writes(busy: Ledger) -> None:
    before = sum(busy.writers.commits)
    verdict = busy.compare_with_source()
    assert (verdict.differences, verdict.rows > 0) == ((), True)
    assert sum(busy.writers.commits) > before


def test_history_is_what_the_log_says_while_everyone_writes(busy: Ledger) -> None:
    pipeline = busy.pipeline
    assert verify_table(pipeline.use_case, pipeline.home.lake, pipeline.use_case.tables[0]).is_same


def test_current_rows_are_those_of_the_source_afterwards(quiet: Ledger) -> None:
    verdict = quiet.compare_with_source()
    assert (verdict.differences, verdict.quarantined) == ((), 0)


def test_history_is_what_the_log_says_afterwards(quiet: Ledger) -> None:
    pipeline = quiet.pipeline
    assert verify_table(pipeline.use_case, pipeline.home.lake, pipeline.use_case.tables[0]).is_same


def test_all_partitions_were_read_and_transactions_came_interleaved(quiet: Ledger) -> None:
    assert {partition for (partition,) in quiet.logged("distinct _partition")} == set(range(PARTITIONS))
    # By position in the source's log, two transactions take turns: one goes on after another has begun.
    positions = sorted(quiet.logged("_sequence, _source_position"))
    owners = [position.partition("tx=")[2] for _, position in positions]
    turns = Counter(owner for owner, before in zip(owners, [None, *owners], strict=False) if owner != before)
    assert max(turns.values()) > 1
    assert {operation for (operation,) in quiet.logged("distinct _operation")} >= {"INSERT", "UPDATE", "DELETE"}
