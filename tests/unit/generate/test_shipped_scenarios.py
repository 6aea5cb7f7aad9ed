"""The lives that are shipped: each breaks every rule, and exactly the rules it says."""

import pytest

from fluvial.config.model import Table
from fluvial.generate.changes import Generator
from fluvial.generate.check import breaks
from fluvial.generate.draws import Increase
from fluvial.generate.load import load_scenario
from fluvial.generate.scenario import Scenario
from fluvial.generate.statements import Statement
from tests.unit.use_cases.shipped import CHECKOUT, NAMES, load_shipped


def life_of(name: str) -> Scenario:
    return load_scenario(CHECKOUT / "config" / name / "scenario.yaml", load_shipped(name))


def broken_rules(table: Table, statement: Statement) -> set[str]:
    values = {name: value for name, value in statement.values if not isinstance(value, Increase)}
    return {rule.column for rule in table.dq_rules if rule.column in values and breaks(rule, values[rule.column])}


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_breaks_exactly_the_rules_it_announces(name: str) -> None:
    use_case = load_shipped(name)
    generator = Generator(use_case, life_of(name), seed=11)

    for transaction in [*generator.seed_rows(), *generator.changes(5_000)]:
        for statement in transaction:
            assert len(broken_rules(use_case.table(statement.table), statement)) == len(statement.violations)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_of_the_use_case_is_broken_by_some_violation(name: str) -> None:
    broken = {violation.rule for plan in life_of(name).tables.values() for violation in plan.violations}

    assert broken == {rule.id for table in load_shipped(name).tables for rule in table.dq_rules}


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_inserted_updated_and_deleted(name: str) -> None:
    generator = Generator(load_shipped(name), life_of(name), seed=3)
    operations = {
        statement.operation
        for transaction in [*generator.seed_rows(), *generator.changes(500)]
        for statement in transaction
    }

    assert operations == {"INSERT", "UPDATE", "DELETE"}


@pytest.mark.parametrize(("name", "table"), [("vehicle-telemetry", "vehicles"), ("healthcare-iot", "patients")])
def test_what_others_refer_to_is_never_inserted_broken(name: str, table: str) -> None:
    generator = Generator(load_shipped(name), life_of(name), seed=5)
    transactions = [*generator.seed_rows(), *generator.changes(3_000)]
    breaking = [s.operation for t in transactions for s in t if s.table == table and s.violations]

    assert set(breaking) == {"UPDATE"}
