"""Every shipped query runs: on a lake that nothing has arrived in, and on one with some life in it."""

from pathlib import Path

import pytest

from fluvial.io.lake import open_lake
from tests.unit.use_cases.shipped import NAMES, Life, load_shipped, queries_of

QUERIES = [(use_case, name, sql) for use_case in NAMES for name, sql in queries_of(use_case).items()]
IDS = [f"{use_case} {name}" for use_case, name, _ in QUERIES]


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One lake for each use case."""
    folders = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for name, folder in folders.items():
        Life(load_shipped(name)).live(seed=7).write(folder)
    return folders


def test_both_use_cases_are_asked() -> None:
    assert NAMES == ["healthcare-iot", "vehicle-telemetry"]
    assert len(QUERIES) >= 16


@pytest.mark.parametrize(("use_case", "name", "sql"), QUERIES, ids=IDS)
def test_an_analytics_query_runs_before_the_first_row_has_arrived(
    use_case: str, name: str, sql: str, tmp_path: Path
) -> None:
    assert open_lake(load_shipped(use_case), tmp_path).execute(sql).fetchall() == []


@pytest.mark.parametrize(("use_case", "name", "sql"), QUERIES, ids=IDS)
def test_an_analytics_query_finds_something(use_case: str, name: str, sql: str, lakes: dict[str, Path]) -> None:
    assert open_lake(load_shipped(use_case), lakes[use_case]).execute(sql).fetchall() != []
