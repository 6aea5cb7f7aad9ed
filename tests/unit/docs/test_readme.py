"""The documents promise nothing that doesn't exist: commands, targets, files, columns, and the README's tables.yaml."""

import re
import tomllib
from pathlib import Path

import pytest

from fluvial import columns
from fluvial.cli.app import COMMANDS
from fluvial.config.load import load_use_case
from fluvial.config.model import UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.io import lake_columns
from fluvial.io.lake import lake_relations
from tests.unit.docs.documents import CHECKOUT, DOCUMENTS, README, anchors, code, documented_columns, links, tables_yaml

SYSTEM_COLUMNS = {str(value) for name, value in vars(columns).items() if name.isupper()}


@pytest.fixture
def shop(tmp_path: Path) -> UseCase:
    """The README's own tables.yaml."""
    path = tmp_path / "shop" / "tables.yaml"
    path.parent.mkdir()
    path.write_text(tables_yaml(README), encoding="utf-8")
    return load_use_case(path, local_placeholders())


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"(?:^|[`/\s])fluvial ([a-z]+)\b", code(document), re.MULTILINE)
    assert set(named) <= set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )*([a-z-]+)", code(document), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = [
        link
        for link in links(document)
        for path, _, anchor in [link.partition("#")]
        for target in [(CHECKOUT / document).parent / path if path else CHECKOUT / document]
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_system_column_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"(?<![\w<>*])_[a-z]+(?:_[a-z]+)*\b(?!_)", code(document))
    assert set(named) <= SYSTEM_COLUMNS


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_document_names_a_place_of_one_machine(document: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\S*", (CHECKOUT / document).read_text()) == []


def test_the_readme_is_the_one_that_the_package_shows() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert (project["readme"], project["license"]) == ("README.md", "Apache-2.0")


def test_the_readmes_tables_yaml_has_every_rule_transform_and_metric(shop: UseCase) -> None:
    (table,) = shop.tables
    assert {rule.type for rule in table.dq_rules} == {
        "not_null", "regex", "allowed_values", "range", "length", "unique"
    }  # fmt: skip
    assert {transform.type for transform in table.transforms} == {
        "trim", "lower", "upper", "round", "mask_pii", "cast", "default_value", "rename"
    }  # fmt: skip
    assert {check.metric for check in table.deequ_checks} == {"size", "completeness", "uniqueness", "compliance"}


def test_what_the_readme_calls_a_default_is_one(shop: UseCase, tmp_path: Path) -> None:
    lines = tables_yaml(README).splitlines()
    short = tmp_path / "short" / "shop" / "tables.yaml"
    short.parent.mkdir(parents=True)
    is_default = re.compile(r"# default(?!: (?:10 seconds|all))")
    kept = "\n".join(line for line in lines if not is_default.search(line))
    # `source_database` holds nothing but defaults, and a key without a value is an error.
    short.write_text(kept.replace("source_database:\n", ""), encoding="utf-8")
    left_out = load_use_case(short, local_placeholders())
    assert left_out.database_name == shop.database_name
    assert _comparable(left_out) == _comparable(shop)


def _comparable(use_case: UseCase) -> dict[str, object]:
    """Without the two places whose defaults are worked out later."""
    return use_case.model_dump(exclude={"source_database": {"database"}, "tables": {"__all__": {"delta_path"}}})


def test_the_lake_reference_names_every_relation(shop: UseCase, tmp_path: Path) -> None:
    text = (CHECKOUT / "docs/reference/lake-tables.md").read_text()
    names = [relation.name.replace("customers", "<t>") for relation in lake_relations(shop, tmp_path)]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_lake_reference_lists_the_columns_of_history_log_and_quarantine(shop: UseCase) -> None:
    (table,) = shop.tables
    made = {
        "history": lake_columns.history_columns(table),
        "log": lake_columns.log_columns(table),
        "quarantine": lake_columns.quarantine_columns(table),
    }
    documented = {name: set(documented_columns(name)) for name in made}
    business = {*table.column_names, *table.lake.column_names}
    assert documented == {name: set(found) - business for name, found in made.items()}


def test_the_lake_reference_lists_the_columns_of_quarantine_replays() -> None:
    assert set(documented_columns("quarantine_replays")) == set(lake_columns.QUARANTINE_REPLAYS)


def test_the_lake_reference_lists_the_columns_of_the_side_tables() -> None:
    types = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    for table, types_of in (("dq_metrics", lake_columns.DQ_METRICS), ("batches", lake_columns.BATCHES)):
        assert documented_columns(table) == {name: types.get(kind, "timestamp") for name, kind in types_of.items()}
