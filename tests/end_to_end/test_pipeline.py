"""From commits in PostgreSQL to history, on everything real but Airflow: through a kill -9 and past broken records.

The tests are told in the order of the story: each stage is a fixture that leaves the stream further on.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from fluvial.compile.source_names import connector_name, slot_name
from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.placeholders import local_placeholders
from fluvial.io.verify import verify_table
from fluvial.io.verify_source import verify_source
from fluvial.local.broker import Broker
from fluvial.local.connect_api import ConnectApi
from fluvial.local.process import read_process
from fluvial.local.status import status
from fluvial.local.streaming import is_streaming, process_name
from fluvial.local.streaming_state import read_streaming_state
from fluvial.plan.steps import StepKind, plan_deployment, plan_teardown
from tests.end_to_end.conftest import Stack
from tests.end_to_end.pipeline import Pipeline, deploy_config, lsn, replayed_versions
from tests.unit.use_cases.shipped import queries_of

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TABLES = ("vehicles", "drivers", "vehicle_telemetry", "deliveries", "alerts")
DELAY_SECONDS = 120
BROKEN = {
    b"not json": "malformed JSON, or a field of the envelope has the wrong type",
    b'{"before": null, "after": {"vehicle_id": "VH-0': "malformed JSON, or a field of the envelope has the wrong type",
    b"\xff\xfe\x00": "not valid UTF-8 text",
    b'{"vehicle_id": "VH-00001"}': "neither a Debezium nor a DMS envelope",
    b'{"op": "x", "after": {"vehicle_id": "VH-00001"}}': "unknown operation",
}


@pytest.fixture(scope="module")
def pipeline(stack: Stack, pytestconfig: pytest.Config) -> Iterator[Pipeline]:
    """Deployed, nothing written yet."""
    deployed = Pipeline(stack, *deploy_config(pytestconfig.rootpath))
    try:
        deployed.run(plan_deployment(deployed.use_case))
        yield deployed
    finally:
        deployed.run(plan_teardown(deployed.use_case))


@pytest.fixture(scope="module")
def lived(pipeline: Pipeline) -> Pipeline:
    """Seeded, and changed for a while."""
    pipeline.generate(mode="seed")
    pipeline.generate(mode="burst", rows="300", seed="7")
    pipeline.catch_up()
    return pipeline


@pytest.fixture(scope="module")
def killed(lived: Pipeline) -> Pipeline:
    """Its driver killed inside a micro-batch of a burst, started again after the source had gone on."""
    commits = _log_commits(lived)
    lived.generate(mode="burst", rows="200", seed="8")
    driver, jvm = _driver(lived)
    _await_half_a_batch(lived, commits)
    driver.kill()
    driver.wait(DELAY_SECONDS)  # a start that finds it still dying would keep it
    lived.generate(mode="burst", rows="200", seed="9")
    lived.run(tuple(step for step in plan_deployment(lived.use_case) if step.kind is StepKind.STREAMING))
    assert not _runs(jvm)
    lived.catch_up()
    return lived


@pytest.fixture(scope="module")
def littered(killed: Pipeline) -> Pipeline:
    """Records that nobody can read in a topic, with good ones after them."""
    killed.produce("vehicles", list(BROKEN))
    killed.generate(mode="burst", rows="50", seed="10")
    killed.catch_up(len(BROKEN))
    return killed


@pytest.fixture(scope="module")
def laned(littered: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Telemetry moved to a lane of its own."""
    folder = tmp_path_factory.mktemp("lanes") / littered.use_case.name
    shutil.copytree(Path(littered.config).parent, folder)
    tables = folder / "tables.yaml"
    named = "  - name: vehicle_telemetry\n"
    tables.write_text(tables.read_text().replace(named, f"{named}    lane: telemetry\n"))
    moved = replace(littered, use_case=load_use_case(tables, local_placeholders()), config=str(tables))
    moved.run(tuple(step for step in plan_deployment(moved.use_case) if step.kind is StepKind.STREAMING))
    moved.generate(mode="burst", rows="50", seed="11")
    moved.catch_up(len(BROKEN))
    return moved


@pytest.fixture(scope="module")
def blocked(laned: Pipeline) -> Pipeline:
    """A file where the log of drivers was, while the source goes on."""
    log = _log_of(laned, "drivers")
    log.rename(log.with_name("drivers_log_aside"))
    log.write_text("not a folder")
    laned.generate(mode="burst", rows="100", seed="12")
    return laned


@pytest.fixture(scope="module")
def mended(blocked: Pipeline) -> Pipeline:
    """The log of drivers back in its place."""
    log = _log_of(blocked, "drivers")
    log.unlink()
    log.with_name("drivers_log_aside").rename(log)
    blocked.catch_up(len(BROKEN))
    return blocked


def _log_of(pipeline: Pipeline, table: str) -> Path:
    return Path(Locations(pipeline.use_case, pipeline.home.lake).table(pipeline.use_case.table(table)).log)


def _await_all_but(pipeline: Pipeline, waiting: str) -> None:
    """Until every committed change of the other tables is logged and one table is seen to wait."""
    others = {table: pipeline.written_to(table) for table in TABLES if table != waiting}
    deadline = time.monotonic() + DELAY_SECONDS
    while {table: pipeline.count(f"{table}__log_all") for table in others} != others or not _parked(pipeline):
        assert time.monotonic() < deadline, "the other tables didn't go on"
        time.sleep(1)


def _parked(pipeline: Pipeline) -> list[str]:
    parts = {part.name: part for part in status(pipeline.home)}
    return [notice.table for notice in parts[process_name(pipeline.use_case.name)].parked]


def _driver(pipeline: Pipeline) -> tuple[psutil.Process, psutil.Process]:
    process = read_process(pipeline.home, process_name(pipeline.use_case.name))
    assert process is not None
    driver = psutil.Process(process.pid)
    return driver, next(child for child in driver.children() if "java" in child.name())


def _runs(process: psutil.Process) -> bool:
    try:
        # Whoever adopts an orphan may not reap it.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _log_commits(pipeline: Pipeline) -> int:
    """Commits of all logs; looked at where they are, since a query would take longer than a batch may."""
    return sum(len(list((_log_of(pipeline, table) / "_delta_log").glob("*.json"))) for table in TABLES)


def _await_half_a_batch(pipeline: Pipeline, commits: int) -> None:
    """Until a micro-batch has written some of its rows and isn't finished; `commits` were there before it."""
    checkpoint = Path(Locations(pipeline.use_case, pipeline.home.lake).checkpoint)
    deadline = time.monotonic() + DELAY_SECONDS
    while _log_commits(pipeline) == commits:
        assert time.monotonic() < deadline, "no batch came"
        time.sleep(0.005)
    begun, done = (_newest(checkpoint / folder) for folder in ("offsets", "commits"))
    assert begun == done + 1, "the batch was over too soon to be killed inside it"


def _newest(folder: Path) -> int:
    return max(int(path.name) for path in folder.iterdir() if path.name.isdecimal())


def _differences(pipeline: Pipeline) -> dict[str, int]:
    lake = pipeline.home.lake
    return {table.name: verify_table(pipeline.use_case, lake, table).total for table in pipeline.use_case.tables}


def _differences_from_the_source(pipeline: Pipeline) -> dict[str, Any]:
    dsn, lake = pipeline.stack.endpoints.postgres_dsn(pipeline.use_case.database_name), pipeline.home.lake
    verdicts = [verify_source(pipeline.use_case, lake, table, dsn, 0) for table in pipeline.use_case.tables]
    return {verdict.table: verdict.total for verdict in verdicts}


def _accounts(pipeline: Pipeline) -> dict[str, tuple[int, ...]]:
    rows = pipeline.query(
        'select "table", sum(consumed) as consumed, sum(log_rows) as log_rows, sum(quarantined) as quarantined, '
        "sum(dead_letters) as dead_letters, sum(tombstones) as tombstones, sum(duplicates) as duplicates "
        "from batches group by 1"
    )
    return {row.pop("table"): tuple(int(value) for value in row.values()) for row in rows}


def _places(pipeline: Pipeline) -> dict[str, tuple[int, ...]]:
    """What `_accounts` should say, counted where the records came from and where they are."""
    arrived = pipeline.records()
    return {
        table: (
            len(arrived[table]),
            pipeline.count(f"{table}__log"),
            pipeline.count(f"{table}__quarantine"),
            pipeline.count("dead_letters", f"\"table\" = '{table}'"),
            arrived[table].count(None),
            0,
        )
        for table in TABLES
    }


def test_every_table_has_history_quarantine_and_metrics(lived: Pipeline) -> None:
    counts = {
        table: [
            lived.count(table) > 0,
            lived.count(f"{table}__quarantine") > 0,
            lived.count("dq_metrics", f"\"table\" = '{table}'") > 0,
        ]
        for table in TABLES
    }
    assert counts == {table: [True, True, True] for table in TABLES}


def test_every_committed_change_is_logged_once(lived: Pipeline) -> None:
    assert lived.logged() == +lived.written


def test_no_delete_is_ever_in_quarantine(lived: Pipeline) -> None:
    assert lived.logged("_is_quarantined and _operation = 'DELETE'") == {}


def test_history_is_what_the_log_says(lived: Pipeline) -> None:
    assert _differences(lived) == dict.fromkeys(TABLES, 0)


def test_current_rows_are_those_of_the_source_unless_held_in_quarantine(lived: Pipeline) -> None:
    assert _differences_from_the_source(lived) == dict.fromkeys(TABLES, 0)


def test_every_record_went_to_exactly_one_place(lived: Pipeline) -> None:
    assert _accounts(lived) == _places(lived)


def test_a_query_counts_as_many_vehicles_as_postgresql_itself(lived: Pipeline) -> None:
    sql = "select count(*) as n from vehicles__current"
    command = [sys.executable, "-m", "fluvial.cli.app", "query", "--format", "json", "--home", str(lived.home.root)]
    done = subprocess.run([*command, "--config", lived.config, sql], capture_output=True, text=True, check=True)
    with psycopg.connect(lived.stack.endpoints.postgres_dsn(lived.use_case.database_name)) as source:
        row = source.execute("select count(*) from vehicles").fetchone()
    assert row is not None
    assert json.loads(done.stdout) == [{"n": row[0]}]


@pytest.mark.parametrize("name", queries_of("vehicle-telemetry"))
def test_an_analytics_query_finds_something(lived: Pipeline, name: str) -> None:
    assert lived.query(queries_of("vehicle-telemetry")[name]) != []


def test_after_a_kill_history_is_a_plain_replay_of_the_committed_changes(killed: Pipeline) -> None:
    arrived = killed.records()
    for table in TABLES:
        held = {lsn(row["_sequence"]) for row in killed.query(f"select _sequence from {table}__quarantine")}
        assert killed.versions(table) == replayed_versions(arrived[table], held)


def test_after_a_kill_nothing_is_lost_and_nothing_is_there_twice(killed: Pipeline) -> None:
    assert killed.logged() == +killed.written
    assert _differences(killed) == dict.fromkeys(TABLES, 0)
    assert _differences_from_the_source(killed) == dict.fromkeys(TABLES, 0)


def test_after_a_kill_the_accounts_still_balance(killed: Pipeline) -> None:
    assert _accounts(killed) == _places(killed)


def test_records_that_cant_be_read_are_dead_letters_with_a_reason(littered: Pipeline) -> None:
    rows = littered.query('select reason, value_bytes from dead_letters order by "offset"')
    assert [(row["reason"], row["value_bytes"]) for row in rows] == [
        (reason, len(value)) for value, reason in BROKEN.items()
    ]


def test_the_stream_goes_on_behind_broken_records(littered: Pipeline) -> None:
    assert littered.logged() == +littered.written
    assert _differences(littered) == dict.fromkeys(TABLES, 0)


def test_a_table_moved_to_a_lane_of_its_own_goes_on_where_it_was(laned: Pipeline) -> None:
    state = read_streaming_state(laned.use_case.name, laned.home)
    assert state is not None
    assert {name: lane.state for name, lane in state.lanes.items()} == {"main": "running", "telemetry": "running"}
    assert laned.logged() == +laned.written
    assert _differences(laned) == dict.fromkeys(TABLES, 0)


def test_a_table_that_cant_be_written_waits_while_the_others_go_on(blocked: Pipeline) -> None:
    _await_all_but(blocked, "drivers")
    assert _parked(blocked) == ["drivers"]
    assert {part.name: part.state for part in status(blocked.home)}[process_name(blocked.use_case.name)] == "unhealthy"


def test_once_mended_the_table_catches_up_and_nothing_is_lost_or_there_twice(mended: Pipeline) -> None:
    assert _parked(mended) == []
    assert mended.logged() == +mended.written
    assert _differences(mended) == dict.fromkeys(TABLES, 0)
    assert _differences_from_the_source(mended) == dict.fromkeys(TABLES, 0)
    _, log_rows, quarantined, dead_letters, _, duplicates = _accounts(mended)["drivers"]
    stored = [mended.count("drivers__log"), mended.count("drivers__quarantine")]
    assert ([log_rows, quarantined], dead_letters, duplicates) == (stored, 0, 0)


def test_teardown_leaves_nothing(mended: Pipeline) -> None:
    _, jvm = _driver(mended)
    use_case, endpoints = mended.use_case, mended.stack.endpoints
    mended.run(plan_teardown(use_case))

    assert not is_streaming(use_case, mended.home)
    assert not _runs(jvm)
    assert list(mended.home.lake.rglob("*")) == []
    # A lock's file stays: who removed it might remove it under somebody who has just taken it.
    own = [path for path in mended.home.run.iterdir() if use_case.name in path.name]
    assert [path.name for path in own if path.suffix != ".lease"] == []
    assert connector_name(use_case) not in ConnectApi(endpoints.connect_url).connectors()
    assert not {table.topic for table in use_case.tables} & set(Broker(endpoints.bootstrap_servers).partitions())
    with psycopg.connect(endpoints.postgres_dsn()) as source:
        databases = "select count(*) from pg_database where datname = %s"
        assert source.execute(databases, [use_case.database_name]).fetchone() == (0,)
        slots = "select count(*) from pg_replication_slots where slot_name = %s"
        assert source.execute(slots, [slot_name(use_case)]).fetchone() == (0,)
