"""The schema that editors use accepts what the models accept, and what is committed is what the models say."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from fluvial.config.json_schema import schema_text, tables_schema
from fluvial.config.reference import reference_page
from tests.unit.config.samples import SHOP
from tests.unit.config.test_load import A1

VALIDATOR = Draft202012Validator(tables_schema())


def complaints(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def parts(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(part for value in node.values() for part in parts(value))]
    return [part for value in node for part in parts(value)] if isinstance(node, list) else []


def test_the_schema_itself_is_one() -> None:
    Draft202012Validator.check_schema(tables_schema())


def test_the_committed_files_are_fresh(pytestconfig: pytest.Config) -> None:
    root = pytestconfig.rootpath
    assert (root / "config" / "tables.schema.json").read_text() == schema_text(), "run make schema"
    assert (root / "docs" / "reference" / "tables-yaml.md").read_text() == reference_page(), "run make schema"


@pytest.mark.parametrize("text", [SHOP, A1], ids=["sample", "documented shape"])
def test_a_right_file_is_right_for_an_editor(text: str) -> None:
    assert complaints(text) == []


def test_every_use_case_names_the_schema_and_obeys_it(pytestconfig: pytest.Config) -> None:
    for path in (pytestconfig.rootpath / "config").glob("*/tables.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=../tables.schema.json\n")
        assert complaints(path.read_text()) == []


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("  username: fluvial", "  user: fluvial", "$.kafka"),
        ("engine: postgres", "engine: oracle", "$.source_database.engine"),
        ("trigger_interval: 10 seconds", "trigger_interval: often", "$.settings.trigger_interval"),
        ("    primary_key: id\n", "    primary_key: 5\n", "$.tables[0].primary_key"),
        ("type: range,", "type: rnage,", "$.tables[0].dq_rules[0]"),
        ("name: photo,", "name: _photo,", "$.tables[0].schema[5].name"),
    ],
)
def test_a_wrong_file_is_wrong_for_an_editor(right: str, wrong: str, place: str) -> None:
    assert place in complaints(SHOP.replace(right, wrong))


def test_a_placeholder_may_stand_where_a_text_has_a_pattern() -> None:
    assert complaints(SHOP.replace("topic: cdc-orders", "topic: ${STACK_NAME}-orders")) == []


def test_every_key_says_what_it_is_for() -> None:
    silent = [
        (part.get("description"), name)
        for part in parts(tables_schema())
        for name, key in part.get("properties", {}).items()
        if isinstance(key, dict) and name not in {"type", "params"} and not {"description", "$ref"} & key.keys()
    ]

    assert silent == []


def test_defaults_and_examples_are_there() -> None:
    tables = tables_schema()["$defs"]

    assert tables["Settings"]["properties"]["trigger_interval"]["default"] == "10 seconds"
    assert tables["Table"]["properties"]["primary_key"]["examples"] == ["id", ["region", "id"]]


def test_the_page_names_every_key_and_every_kind() -> None:
    page = reference_page()
    kinds = [
        name
        for key in ("dq_rules", "transforms")
        for name in tables_schema()["$defs"]["Table"]["properties"][key]["items"]["discriminator"]["mapping"]
    ]

    assert [kind for kind in kinds if f"### `{kind}`" not in page] == []
