"""Start, crash, mend and stop, on the real PostgreSQL, Kafka and Kafka Connect."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from fluvial.compile.topics import Topic
from fluvial.local.broker import Broker
from fluvial.local.connect_api import ConnectApi
from fluvial.local.endpoints import Endpoints, read_endpoints
from fluvial.local.home import Home
from fluvial.local.ports import is_free
from fluvial.local.process import is_alive, read_process
from fluvial.local.stack import down, status, up
from fluvial.local.status import PartState
from fluvial.local.topic_offsets import TopicOffsets

pytestmark = pytest.mark.stack

MEMORY_LIMIT_MB = 1536
CONNECTOR = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.user": "postgres",
    "database.dbname": "postgres",
    "topic.prefix": "crash",
    "plugin.name": "pgoutput",
    "slot.name": "crash",
    "publication.name": "crash",
    "table.include.list": "public.notes",
    "topic.creation.default.replication.factor": "-1",
    "topic.creation.default.partitions": "1",
}


@pytest.fixture(scope="module")
def started(shared_artifacts: Path) -> Iterator[tuple[Home, float]]:
    """Not the shared stack, because these tests kill it; and how many seconds its start took."""
    home, began = Home(Path(tempfile.mkdtemp(prefix="fluvial-"))), time.monotonic()
    up(home)
    yield home, time.monotonic() - began
    down(home)
    shutil.rmtree(home.root, ignore_errors=True)


@pytest.fixture(scope="module")
def home(started: tuple[Home, float]) -> Home:
    return started[0]


@pytest.fixture(scope="module")
def captured(home: Home) -> Endpoints:
    """One row in PostgreSQL, which Debezium has brought to Kafka."""
    endpoints = read_endpoints(home)
    with psycopg.connect(endpoints.postgres_dsn(), autocommit=True) as connection:
        connection.execute("create table notes (id int primary key, text text)")
        connection.execute("insert into notes values (1, 'first')")
    database = {"database.port": str(endpoints.postgres_port), "database.password": endpoints.postgres_password}
    ConnectApi(endpoints.connect_url).put_config("crash", CONNECTOR | database)
    assert notes_in_kafka(endpoints, expected=1) == [1]
    return endpoints


def notes_in_kafka(endpoints: Endpoints, expected: int) -> list[int]:
    consumer = Consumer({"bootstrap.servers": endpoints.bootstrap_servers, "group.id": "test", "log_level": 0})
    consumer.assign([TopicPartition("crash.public.notes", 0, 0)])
    deadline, found = time.monotonic() + 60, set()
    while len(found) < expected and time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is not None and record.error() is None:
            found.add(json.loads(record.key())["id"])
    consumer.close()
    return sorted(found)


def states(home: Home) -> dict[str, PartState]:
    return {part.name: part.state for part in status(home)}


def pids(home: Home) -> dict[str, int | None]:
    return {part.name: part.pid for part in status(home)}


def kill(home: Home, name: str) -> None:
    process = read_process(home, name)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    while is_alive(home, name):
        time.sleep(0.01)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_all_parts_are_up_within_their_memory(home: Home) -> None:
    parts = status(home)
    assert {part.name: part.state for part in parts} == dict.fromkeys(("postgres", "kafka", "connect"), "running")
    assert sum(part.memory_mb or 0 for part in parts) < MEMORY_LIMIT_MB


def test_a_second_up_changes_nothing_and_is_fast(started: tuple[Home, float]) -> None:
    home, first = started
    before, began = pids(home), time.monotonic()
    up(home)
    assert time.monotonic() - began < first / 10
    assert pids(home) == before


def test_two_ups_at_once_start_one_stack(home: Home) -> None:
    down(home)
    command = [sys.executable, "-m", "fluvial.cli.app", "up", "--stack-only", "--home", str(home.root)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    output = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], output
    assert set(states(home).values()) == {PartState.RUNNING}


def test_a_topic_that_is_made_anew_has_another_id(home: Home) -> None:
    servers = read_endpoints(home).bootstrap_servers
    broker, asked, topic = Broker(servers), TopicOffsets(servers), Topic("anew", 1, {})
    broker.ensure([topic])
    first = asked.topic_ids(["anew", "nowhere"])
    assert asked.topic_ids(["anew", "nowhere"]) == first
    broker.delete(["anew"])
    wait_until(lambda: "anew" not in broker.partitions())
    broker.ensure([topic])
    wait_until(lambda: "anew" in asked.topic_ids(["anew"]))
    second = asked.topic_ids(["anew", "nowhere"])
    assert (set(first), set(second), first == second) == ({"anew"}, {"anew"}, False)


def test_postgres_writes_a_logical_log_as_an_ordinary_user_and_wants_its_password(home: Home) -> None:
    endpoints = read_endpoints(home)
    with psycopg.connect(endpoints.postgres_dsn()) as connection:
        assert connection.execute("show wal_level").fetchone() == ("logical",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(endpoints.postgres_dsn().replace(endpoints.postgres_password, "postgres"))


def test_nothing_listens_beyond_the_loopback_interface(home: Home) -> None:
    ours = [process for pid in pids(home).values() if pid for process in (psutil.Process(pid),)]
    addresses = {
        connection.laddr.ip
        for process in ours
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["postgres", "kafka", "connect"])
def test_a_killed_part_is_seen_and_mended(home: Home, captured: Endpoints, name: str) -> None:
    kill(home, name)
    assert states(home)[name] is PartState.CRASHED
    assert up(home) == captured
    assert set(states(home).values()) == {PartState.RUNNING}
    with psycopg.connect(captured.postgres_dsn(), autocommit=True) as connection:
        connection.execute("insert into notes select max(id) + 1, 'next' from notes")


def test_all_rows_arrive_in_spite_of_the_crashes(home: Home, captured: Endpoints) -> None:
    assert notes_in_kafka(captured, expected=4) == [1, 2, 3, 4]


def test_a_hanging_server_is_unhealthy(home: Home, captured: Endpoints) -> None:
    process = read_process(home, "connect")
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert states(home)["connect"] is PartState.UNHEALTHY
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_broker_whose_port_was_taken_moves_and_connect_follows(home: Home, captured: Endpoints) -> None:
    before = pids(home)["connect"]
    kill(home, "kafka")
    while not is_free(captured.kafka_port):
        time.sleep(0.01)
    with socket.create_server(("127.0.0.1", captured.kafka_port)):
        moved = up(home)
    assert moved.kafka_port != captured.kafka_port
    assert moved.postgres_port == captured.postgres_port
    assert pids(home)["connect"] != before


def test_data_survives_a_stop(home: Home, captured: Endpoints) -> None:
    down(home)
    assert set(states(home).values()) == {PartState.STOPPED}
    endpoints = up(home)
    with psycopg.connect(endpoints.postgres_dsn()) as connection:
        assert connection.execute("select count(*) from notes").fetchone() == (4,)
    assert notes_in_kafka(endpoints, expected=4) == [1, 2, 3, 4]
