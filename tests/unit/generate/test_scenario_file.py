import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from fluvial.config.model import UseCase
from fluvial.errors import ConfigError
from fluvial.generate.check import check_scenario
from fluvial.generate.load import load_scenario
from fluvial.generate.scenario import Scenario
from tests.unit.generate.conftest import TABLES


def written(folder: Path, scenario: dict[str, Any]) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    return path


def test_a_right_file_loads(tmp_path: Path, shop: UseCase, document: dict[str, Any]) -> None:
    assert list(load_scenario(written(tmp_path, document), shop).tables) == ["customers", "visits"]


def test_every_disagreement_with_the_tables_is_reported_at_once_with_its_line(
    tmp_path: Path, shop: UseCase, document: dict[str, Any]
) -> None:
    customers = document["tables"]["customers"]
    customers["columns"]["nickname"] = {"kind": "fake", "provider": "no_such_thing"}
    customers["violations"].append({"name": "odd", "rule": "no_such_rule", "values": [1]})
    document["tables"]["visits"]["violations"][0]["values"] = [12]
    document["tables"]["ghosts"] = deepcopy(customers)

    with pytest.raises(ConfigError) as raised:
        load_scenario(written(tmp_path, document), shop)

    assert [problem.message for problem in raised.value.problems] == [
        "tables.customers.columns.nickname: table 'customers' has no column 'nickname'",
        "tables.customers.columns.nickname: faker has no provider 'no_such_thing'",
        "tables.customers.violations.1.rule: table 'customers' has no rule 'no_such_rule'",
        "tables.visits.violations.0.values.0: 12 doesn't break rule 'spent_range'",
        "tables.ghosts: tables.yaml has no table 'ghosts'",
    ]
    lines = (tmp_path / "scenario.yaml").read_text().splitlines()
    assert lines[raised.value.problems[0].line - 1].strip() == "nickname:"


def test_an_unknown_key_is_an_error(tmp_path: Path, shop: UseCase, document: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="tempo: unknown key"):
        load_scenario(written(tmp_path, {**document, "tempo": 3}), shop)


def test_a_missing_file_says_where_it_belongs(tmp_path: Path, shop: UseCase) -> None:
    with pytest.raises(ConfigError, match=r"put a scenario\.yaml beside"):
        load_scenario(tmp_path / "scenario.yaml", shop)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "c: [" + "*b, " * 100 + "]", "more than 100 aliases"),
        ("tables: " + "[" * 40 + "]" * 40, "nested deeper than 30 levels"),
        ("tables: !!python/object/apply:os.system [ls]", "YAML tag"),
        ("tables: {}\ntables: {}", "key 'tables' is written twice"),
        ("tables: {a: b", "not YAML"),
        ("- tables", "start with `tables:`"),
    ],
)
def test_hostile_and_broken_yaml_is_refused_as_in_tables_yaml(
    tmp_path: Path, shop: UseCase, text: str, message: str
) -> None:
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_scenario(tmp_path / "scenario.yaml", shop)


def test_a_violation_is_a_value_that_breaks_a_rule_by_itself(document: dict[str, Any]) -> None:
    tables = deepcopy(TABLES)
    tables["tables"][0]["dq_rules"] = [
        {"id": "short", "type": "length", "column": "name", "params": {"max": 3}},
        {"id": "own_name", "type": "unique", "column": "name"},
    ]
    document["tables"]["customers"]["violations"] = [
        {"name": "long", "rule": "short", "values": ["Anna", "Ann"]},
        {"name": "twin", "rule": "own_name", "values": ["Ann"]},
    ]

    found = check_scenario(Scenario.model_validate(document), UseCase.model_validate(tables))

    assert [problem for _, problem in found] == [
        "'Ann' doesn't break rule 'short'",
        "rule 'own_name' compares rows of a micro-batch: no value breaks it by itself",
    ]
