"""DAG parsing and `validate` run the configuration: it may not cost an import of Spark, Airflow or AWS."""

import subprocess
import sys

import pytest

HEAVY = {"pyspark", "delta", "boto3", "airflow", "duckdb", "pyarrow", "pandas", "jinja2"}


def top_level_modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import fluvial.config.load, fluvial.config.placeholders, fluvial.config.locations",
        "import fluvial.compile.source_ddl, fluvial.compile.topics, fluvial.compile.debezium",
        "import fluvial.plan.steps",
        "import fluvial.cli.app, fluvial.cli.validate",
    ],
)
def test_nothing_heavy_is_imported(statement: str) -> None:
    assert top_level_modules_after(statement) & HEAVY == set()
