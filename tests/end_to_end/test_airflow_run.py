"""`fluvial run` on everything real: PostgreSQL, Debezium, Kafka, Spark, and Airflow in charge."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from fluvial.local.home import Home
from fluvial.local.stack import down, status
from fluvial.local.status import PartState

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TABLES = ("vehicles", "drivers", "vehicle_telemetry", "deliveries", "alerts")
FLUVIAL = (sys.executable, "-m", "fluvial.cli.app")


@dataclass(frozen=True)
class Done:
    """A finished `fluvial run --once` and its home."""

    home: Home
    status: int
    output: str


def _command(home: Home, *arguments: str) -> list[str]:
    return [*FLUVIAL, *arguments, "--home", str(home.root)]


def _query(home: Home, sql: str) -> list[dict[str, Any]]:
    done = subprocess.run(_command(home, "query", "--format", "json", sql), capture_output=True, text=True, check=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


@pytest.fixture
def empty_home(shared_artifacts: Path) -> Iterator[Home]:
    home = Home(Path(tempfile.mkdtemp(prefix="fluvial-")))
    yield home
    down(home)
    shutil.rmtree(home.root, ignore_errors=True)


@pytest.fixture(scope="module")
def run_once(shared_artifacts: Path) -> Iterator[Done]:
    home = Home(Path(tempfile.mkdtemp(prefix="fluvial-")))
    done = subprocess.run(
        _command(home, "run", "--once", "--rows", "600"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=850,
    )
    yield Done(home, done.returncode, done.stdout)
    down(home)
    shutil.rmtree(home.root, ignore_errors=True)


def _running(home: Home) -> Sequence[str]:
    return [part.name for part in status(home) if part.state is not PartState.STOPPED]


def _processes_of(home: Home) -> list[list[str]]:
    found = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [command for command in found if any(str(home.root) in argument for argument in command)]


def test_a_run_ends_well_and_misses_nothing(run_once: Done) -> None:
    assert run_once.status == 0, run_once.output
    assert "missing" not in run_once.output


def test_every_table_has_history_and_quarantine(run_once: Done) -> None:
    counts = {
        table: _query(
            run_once.home,
            f"select (select count(*) from {table}) > 0 as versions, "
            f"(select count(*) from {table}__quarantine) > 0 as quarantined, "
            f"(select count(*) from dq_metrics where \"table\" = '{table}') > 0 as metrics",
        )
        for table in TABLES
    }
    assert counts == {table: [{"versions": True, "quarantined": True, "metrics": True}] for table in TABLES}


def test_airflow_performed_every_step(run_once: Done) -> None:
    done = re.findall(r"vehicle-telemetry__(\w+)  (\w+)  done", run_once.output)
    assert sorted(done) == [
        ("deploy", "capture"),
        ("deploy", "catalog"),
        ("deploy", "health"),
        ("deploy", "source_tables"),
        ("deploy", "stacks"),
        ("deploy", "streaming"),
        ("deploy", "topics"),
        ("generate_data", "generate"),
        ("generate_data", "generate"),
    ]


def test_the_report_tells_how_fast_it_was_and_how_to_log_in(run_once: Done) -> None:
    assert re.search(r"Commit to queryable history: p50 [\d.]+ s, p95 [\d.]+ s", run_once.output)
    assert re.search(r"First queryable version: [\d.]+ s after the start of this run", run_once.output)
    assert re.search(r"Airflow  http://127\.0\.0\.1:\d+  user admin, password \S+", run_once.output)


def test_the_commands_it_suggests_work(run_once: Done) -> None:
    suggested = re.findall(r' query --home \S+ ("select .*")', run_once.output)
    assert len(suggested) == 2
    assert all(_query(run_once.home, json.loads(sql)) for sql in suggested)


def test_nothing_is_left_running(run_once: Done) -> None:
    assert _running(run_once.home) == []
    assert _processes_of(run_once.home) == []


def test_on_a_terminal_a_run_stays_until_ctrl_c_even_while_it_starts(empty_home: Home) -> None:
    terminal, inner = pty.openpty()
    process = subprocess.Popen(_command(empty_home, "run"), stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    deadline = time.monotonic() + 120
    while "airflow" not in _running(empty_home) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    # Read on: what is written into a full terminal would wait for ever.
    while True:
        try:
            if not os.read(terminal, 65536):
                break
        except OSError:  # Linux's way of saying that the other end is closed
            break
    assert process.wait(120) == 130
    assert _running(empty_home) == []
    assert _processes_of(empty_home) == []


def test_a_second_run_beside_the_first_is_one_clear_message(empty_home: Home) -> None:
    first = subprocess.Popen(
        _command(empty_home, "run", "--once"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while "airflow" not in _running(empty_home) and time.monotonic() < deadline:
        time.sleep(0.2)
    second = subprocess.run(
        _command(empty_home, "run", "--once"), capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 1
    assert re.match(rf"error: process {first.pid} \(fluvial run, since [\d:]+\) is working in ", second.stderr)
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 130
    assert _processes_of(empty_home) == []


def test_an_unknown_use_case_starts_nothing(empty_home: Home) -> None:
    done = subprocess.run(
        _command(empty_home, "run", "--use-case", "vehicle-telemetrie"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "did you mean 'vehicle-telemetry'" in done.stderr
    assert not empty_home.run.exists()
