"""What checking costs, counted instead of timed: passes over the text, calls for each table, modules."""

import cProfile
import pstats
import subprocess
import sys
from pathlib import Path

import yaml

from fluvial.config import document
from tests.unit.config.samples import SHOP, load_text

HEAD, TABLES = SHOP.split("tables:\n")
ORDERS = TABLES.partition("  - name: buyers")[0]
HEAVY = {"pyspark", "delta", "boto3", "airflow", "duckdb", "pyarrow", "pandas", "sqlglot", "psycopg", "jsonschema"}


def with_tables(number: int) -> str:
    copies = (
        ORDERS.replace("name: orders", f"name: orders_{n}").replace("cdc-orders", f"cdc-{n}") for n in range(number)
    )
    return HEAD + "tables:\n" + "".join(copies)


def calls(folder: Path, tables: int) -> pstats.Stats:
    load_text(folder, with_tables(tables))  # what is built once, such as the schema for hints, isn't counted
    with cProfile.Profile() as profile:
        load_text(folder, with_tables(tables))
    return pstats.Stats(profile)


def test_a_file_is_parsed_once_and_by_the_parser_in_c(tmp_path: Path) -> None:
    counted = {(Path(file).parent.name, name): n for (file, _, name), (n, *_) in calls(tmp_path, 3).stats.items()}

    assert counted["yaml", "parse"] < 2 * len(list(yaml.parse(with_tables(3))))
    assert counted["yaml", "__init__"] > 0
    assert document._Loader is yaml.CSafeLoader


def test_twice_the_tables_are_twice_the_work(tmp_path: Path) -> None:
    small, large = calls(tmp_path, 25), calls(tmp_path, 50)

    assert large.total_calls < 2.2 * small.total_calls


def test_a_table_costs_a_bounded_number_of_calls(tmp_path: Path) -> None:
    assert calls(tmp_path, 50).total_calls / 50 < 8_000


def test_the_whole_command_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "tables.yaml").write_text(with_tables(2))
    code = (
        "import sys\nfrom fluvial.cli.app import app\n"
        f"try:\n    app(['validate', {str(tmp_path)!r}])\nexcept SystemExit:\n    pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    finished = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "no problems" in finished.stdout
    assert set(finished.stdout.split()) & HEAVY == set()
