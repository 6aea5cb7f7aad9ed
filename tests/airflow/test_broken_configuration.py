from pathlib import Path

from airflow.dag_processing.dagbag import DagBag


def _break(config_dir: Path, name: str) -> None:
    text = (config_dir / "vehicle-telemetry" / "tables.yaml").read_text()
    (config_dir / name).mkdir()
    (config_dir / name / "tables.yaml").write_text(text.replace("primary_key:", "primary_kye:", 1))


def test_a_broken_use_case_leaves_the_dags_of_the_others(config_dir: Path, checkout: Path) -> None:
    _break(config_dir, "broken")
    bag = DagBag(str(checkout / "dags"))
    assert len(bag.dags) == 4
    assert {dag_id.partition("__")[0] for dag_id in bag.dags} == {"vehicle-telemetry"}


def test_a_broken_use_case_is_one_import_error_with_file_and_line(config_dir: Path, checkout: Path) -> None:
    _break(config_dir, "broken")
    (error,) = DagBag(str(checkout / "dags")).import_errors.values()
    text = (config_dir / "broken" / "tables.yaml").read_text()
    line = text[: text.index("primary_kye")].count("\n") + 1
    assert f"broken/tables.yaml:{line}" in error
    assert "primary_kye" in error


def test_two_broken_use_cases_are_both_named(config_dir: Path, checkout: Path) -> None:
    _break(config_dir, "first")
    _break(config_dir, "second")
    (error,) = DagBag(str(checkout / "dags")).import_errors.values()
    assert "first/tables.yaml" in error
    assert "second/tables.yaml" in error


def test_a_file_that_is_no_yaml_is_an_import_error_too(config_dir: Path, checkout: Path) -> None:
    (config_dir / "torn").mkdir()
    (config_dir / "torn" / "tables.yaml").write_text("settings: {\n")
    bag = DagBag(str(checkout / "dags"))
    (error,) = bag.import_errors.values()
    assert "torn/tables.yaml" in error
    assert len(bag.dags) == 4


def test_without_any_use_case_there_is_no_dag_and_no_error(config_dir: Path, checkout: Path) -> None:
    (config_dir / "vehicle-telemetry" / "tables.yaml").unlink()
    bag = DagBag(str(checkout / "dags"))
    assert (bag.dags, bag.import_errors) == ({}, {})
