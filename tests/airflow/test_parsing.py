import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIMIT_SECONDS = 1.0


def _parse(checkout: Path, hash_seed: str) -> dict[str, Any]:
    script = checkout / "tests" / "airflow" / "parse_dags.py"
    done = subprocess.run(
        [sys.executable, str(script), str(checkout / "dags")],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    parsed: dict[str, Any] = json.loads(done.stdout.partition("RESULT ")[2])
    return parsed


@pytest.fixture(scope="module")
def parsed(request: pytest.FixtureRequest) -> dict[str, Any]:
    return _parse(request.config.rootpath, "1")


def test_every_dag_file_parses(parsed: dict[str, Any]) -> None:
    assert parsed["import_errors"] == {}


def test_every_dag_file_parses_in_under_a_second_of_cpu(parsed: dict[str, Any]) -> None:
    assert {name: cost for name, cost in parsed["seconds"].items() if cost >= LIMIT_SECONDS} == {}
    assert list(parsed["seconds"]) == [
        "configuration_errors.py",
        "deploy.py",
        "generate_data.py",
        "health.py",
        "teardown.py",
    ]


def test_parsing_imports_no_engine_and_no_client(parsed: dict[str, Any]) -> None:
    assert parsed["heavy"] == []


def test_parsing_opens_no_connection(parsed: dict[str, Any]) -> None:
    assert parsed["connections"] == []


def test_another_hash_seed_parses_to_the_same_dags(parsed: dict[str, Any], checkout: Path) -> None:
    again = _parse(checkout, "2")
    # Airflow itself collects the DAGs of a file in a set and writes the keys of one object in any order.
    assert json.dumps(again["dags"], sort_keys=True) == json.dumps(parsed["dags"], sort_keys=True)
