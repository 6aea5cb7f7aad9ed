"""A row of more than twenty megabytes, from the real PostgreSQL into the history: whole, and nobody waits for it.

Twenty million characters are where Jackson stops unless told otherwise, one megabyte is Kafka's own limit.
"""

import time
from collections.abc import Iterator

import psycopg
import pytest

from fluvial.io.verify import verify_table
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import PATIENCE_SECONDS, Pipeline, deployed

pytestmark = [pytest.mark.stack, pytest.mark.slow]
CHARACTERS = 21_000_000
DOCUMENTS = 3_000
TABLES = """
settings:
  checkpoint_location: s3://archive/checkpoint
  quarantine_path: s3://archive/quarantine
  delta_bucket: s3://archive/lake
  trigger_interval: 500 milliseconds
kafka: {bootstrap_servers: "127.0.0.1:9092"}
tables:
  - name: letters
    topic: archive.letters
    primary_key: id
    schema:
      - {name: id, type: bigint, nullable: false}
      - {name: body, type: string}
      - {name: seen, type: int}
  - name: senders
    topic: archive.senders
    primary_key: id
    schema:
      - {name: id, type: bigint, nullable: false}
"""


@pytest.fixture(scope="module")
def archive(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with deployed(stack, tmp_path_factory.mktemp("config"), "archive", TABLES) as pipeline:
        yield pipeline


def test_a_row_of_many_megabytes_arrives_whole_with_both_of_its_images(archive: Pipeline) -> None:
    with psycopg.connect(archive.stack.endpoints.postgres_dsn("archive"), autocommit=True) as source:
        source.execute("insert into letters values (1, 'ü\"' || repeat('x', %s - 2), 1)", (CHARACTERS,))
        source.execute("update letters set seen = 2 where id = 1")
        source.execute("insert into letters values (2, 'short', 1)")
        source.execute("insert into senders values (7)")
        (wanted,) = source.execute("select md5(body) from letters where id = 1").fetchall()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while archive.count("letters") + archive.count("senders") < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
    versions = archive.query("select id, seen, length(body) as n, md5(body) as m from letters order by id, seen")
    assert [tuple(row.values()) for row in versions] == [
        (1, 1, CHARACTERS, *wanted),
        (1, 2, CHARACTERS, *wanted),
        (2, 1, 5, "4f09daa9d95bcb166a302407a0e0babe"),
    ]
    assert archive.query("select id from senders") == [{"id": 7}]
    table = archive.use_case.table("letters")
    assert verify_table(archive.use_case, archive.home.lake, table).is_same


def test_thousands_of_documents_at_once_fit_into_the_heap(archive: Pipeline) -> None:
    """Spark would read them in pieces of 4,096 rows, and each piece of a column at once."""
    with psycopg.connect(archive.stack.endpoints.postgres_dsn("archive"), autocommit=True) as source:
        source.execute(
            "insert into letters select i, repeat(md5(i::text), 6250), 1 from generate_series(11, %s) i",
            (DOCUMENTS + 10,),
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while archive.count("letters", "id > 10") < DOCUMENTS and time.monotonic() < deadline:
        time.sleep(0.5)
    sizes = archive.query(
        "select count(*) as n, min(length(body)) as a, max(length(body)) as z from letters where id > 10"
    )
    assert sizes == [{"n": DOCUMENTS, "a": 200_000, "z": 200_000}]
