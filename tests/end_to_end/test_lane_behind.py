"""A stream that is behind settles seldom, on the real stack; when it has caught up, its history is complete."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fluvial.config.locations import Locations
from fluvial.io.verify import verify_table
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import PATIENCE_SECONDS, Pipeline, deployed

pytestmark = [pytest.mark.stack, pytest.mark.slow]
ROWS, MOST = 2_000, 100
TABLES = f"""
settings:
  checkpoint_location: s3://rush/checkpoint
  quarantine_path: s3://rush/quarantine
  delta_bucket: s3://rush/lake
  trigger_interval: 100 milliseconds
  max_records_per_batch: {MOST}
kafka: {{bootstrap_servers: "127.0.0.1:9092"}}
tables:
  - name: orders
    topic: rush.orders
    primary_key: id
    schema:
      - {{name: id, type: bigint, nullable: false}}
      - {{name: amount, type: int}}
"""


@pytest.fixture(scope="module")
def rush(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with deployed(stack, tmp_path_factory.mktemp("config"), "rush", TABLES) as pipeline:
        yield pipeline


def commits(table: str) -> int:
    """Commits that brought rows."""
    files = (Path(table) / "_delta_log").glob("*.json")
    return sum(any("add" in json.loads(line) for line in file.read_text().splitlines()) for file in files)


def test_a_lane_that_is_behind_settles_seldom_and_catches_up(rush: Pipeline) -> None:
    with psycopg.connect(rush.stack.endpoints.postgres_dsn("rush"), autocommit=True) as source:
        source.execute("insert into orders select i, i from generate_series(1, %s) as i", (ROWS,))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while rush.count("orders") < ROWS and time.monotonic() < deadline:
        time.sleep(0.5)
    table = rush.use_case.table("orders")
    places = Locations(rush.use_case, rush.home.lake).table(table)
    batches = commits(places.log)
    assert batches >= ROWS // MOST
    assert commits(places.history) <= batches // 3
    assert rush.count("orders", "_is_current") == ROWS
    assert verify_table(rush.use_case, rush.home.lake, table).is_same
