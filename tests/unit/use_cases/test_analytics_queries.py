import re
from pathlib import Path

import pytest

from fluvial.config.load import load_use_case
from fluvial.config.placeholders import local_placeholders
from fluvial.io.lake import open_lake

FOLDER = Path("config/vehicle-telemetry")


def queries(text: str) -> dict[str, str]:
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


QUERIES = queries((Path(__file__).parents[3] / FOLDER / "analytics_queries.sql").read_text())


@pytest.mark.parametrize("name", QUERIES)
def test_an_analytics_query_runs_before_the_first_row_has_arrived(
    name: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    use_case = load_use_case(pytestconfig.rootpath / FOLDER / "tables.yaml", local_placeholders())

    assert open_lake(use_case, tmp_path).execute(QUERIES[name]).fetchall() == []
