"""`fluvial replay` as a user runs it: a recording of real changes, twice into one home."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fluvial.local.artifacts import ensure_artifacts
from fluvial.local.home import Home, default_home

CONFIG = "config/vehicle-telemetry/tables.yaml"
EVENTS = "tests/data/recorded_changes.jsonl"
PROGRAM = [sys.executable, "-m", "fluvial.cli.app"]


def fluvial(root: Path, *arguments: str) -> str:
    ensure_artifacts(default_home(), ("spark",))
    done = subprocess.run([*PROGRAM, *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def replay(root: Path, home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        fluvial(root, "replay", "--config", CONFIG, "--events", EVENTS, "--home", str(home), "--micro-batch", "200")
    )
    return found


@pytest.mark.slow
def test_a_recording_makes_history_once_however_often_it_is_replayed(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    root, home = pytestconfig.rootpath, tmp_path / "home"
    first = replay(root, home)
    files = set(Home(home).lake.rglob("*.parquet"))
    second = replay(root, home)
    assert first["consumed"] == second["consumed"] == 322
    assert {name: first[name] for name in ("log", "quarantined", "dead_letters", "tombstones", "duplicates")} == {
        "log": 269,
        "quarantined": 19,
        "dead_letters": 11,
        "tombstones": 23,
        "duplicates": 0,
    }
    assert second["duplicates"] + second["tombstones"] == 322
    assert set(Home(home).lake.rglob("*.parquet")) == files
    verified = json.loads(fluvial(root, "verify", "--config", CONFIG, "--home", str(home), "--json"))
    assert {table["table"]: table["total"] for table in verified} == {
        "vehicles": 0,
        "drivers": 0,
        "vehicle_telemetry": 0,
        "deliveries": 0,
        "alerts": 0,
    }
    sql = "select count(*) as n, min(_effective_from) as first from vehicles__current"
    [row] = json.loads(fluvial(root, "query", "--config", CONFIG, "--home", str(home), "--format", "json", sql))
    assert row["n"] == 31
    assert row["first"].endswith("Z")
