import pytest
import yaml

from fluvial.config.model import Table, UseCase
from fluvial.generate.changes import Generator
from fluvial.generate.check import breaks
from fluvial.generate.draws import Increase
from fluvial.generate.load import load_scenario
from fluvial.generate.scenario import Scenario
from fluvial.generate.statements import Statement


@pytest.fixture
def fleet(pytestconfig: pytest.Config) -> UseCase:
    """The shipped use case."""
    document = yaml.safe_load((pytestconfig.rootpath / "config/vehicle-telemetry/tables.yaml").read_text())
    return UseCase.model_validate({**document, "name": "vehicle-telemetry"})


@pytest.fixture
def life(pytestconfig: pytest.Config, fleet: UseCase) -> Scenario:
    """Its shipped scenario."""
    return load_scenario(pytestconfig.rootpath / "config/vehicle-telemetry/scenario.yaml", fleet)


def broken_rules(table: Table, statement: Statement) -> int:
    values = {name: value for name, value in statement.values if not isinstance(value, Increase)}
    return sum(breaks(rule, values[rule.column]) for rule in table.dq_rules if rule.column in values)


def test_a_statement_breaks_exactly_the_rules_it_announces(fleet: UseCase, life: Scenario) -> None:
    generator = Generator(fleet, life, seed=11)

    for transaction in [*generator.seed_rows(), *generator.changes(5_000)]:
        for statement in transaction:
            assert broken_rules(fleet.table(statement.table), statement) == len(statement.violations)


def test_no_insert_of_a_vehicle_breaks_a_rule(fleet: UseCase, life: Scenario) -> None:
    generator = Generator(fleet, life, seed=5)
    transactions = [*generator.seed_rows(), *generator.changes(3_000)]
    breaking = [s.operation for t in transactions for s in t if s.table == "vehicles" and s.violations]
    assert set(breaking) == {"UPDATE"}


def test_every_rule_of_the_use_case_is_broken_by_some_violation(fleet: UseCase, life: Scenario) -> None:
    broken = {violation.rule for plan in life.tables.values() for violation in plan.violations}

    assert broken == {rule.id for table in fleet.tables for rule in table.dq_rules}
