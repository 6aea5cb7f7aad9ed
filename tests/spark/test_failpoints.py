"""Tier 3: processes die before or after each write of a micro-batch, with every kind of operation in it."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.io.failpoints import FAILPOINTS, Crash, CrashAt
from tests.campaign import sized
from tests.oracle.fold import Event
from tests.spark.lake_checks import check_accounts, check_dead_letters, check_table
from tests.spark.lakes import Lake
from tests.spark.stories import TABLE, tell

PLACES = (*FAILPOINTS, "before checkpoint")
"""The last one: everything is written and Spark doesn't know."""
GROUPS = [PLACES[first::4] for first in range(4)]
"""Each batch dies at all places of a group, one after the other, before it comes to its end."""


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize("first", range(len(GROUPS)), ids="group{}".format)
@pytest.mark.parametrize("seed", sized(1, 10), ids="seed{}".format)
def test_processes_that_die_anywhere_leave_a_lake_that_the_next_one_completes(
    spark: SparkSession, tmp_path: Path, seed: int, first: int
) -> None:
    lake, records = Lake(spark, tmp_path), 0
    delivered: list[Event] = []
    for batch, (messages, events) in enumerate(tell(seed)):
        for place in GROUPS[(first + batch) % len(GROUPS)]:
            with pytest.raises(Crash, match=place):
                lake.write(messages, batch, CrashAt(place))
            lake.check_each_commit()
        lake.write(messages, batch)
        lake.check_each_commit()
        delivered += events
        records += len(messages)
        check_table(tmp_path, TABLE, delivered)
        check_accounts(tmp_path, [TABLE], records, batch + 1)
        check_dead_letters(tmp_path, batch + 1)
