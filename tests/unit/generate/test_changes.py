from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from fluvial.columns import DELETE, INSERT, UPDATE
from fluvial.config.model import UseCase
from fluvial.generate.changes import ExistingRows, Generator, initial_rows
from fluvial.generate.draws import Increase
from fluvial.generate.scenario import Scenario
from fluvial.generate.statements import Statement, Transaction
from fluvial.generate.summary import Summary


def statements(transactions: list[Transaction]) -> list[Statement]:
    return [statement for transaction in transactions for statement in transaction]


def test_the_same_seed_gives_the_same_transactions(shop: UseCase, scenario: Scenario) -> None:
    first, second = Generator(shop, scenario, seed=7), Generator(shop, scenario, seed=7)

    assert [*first.seed_rows(), *first.changes(2_000)] == [*second.seed_rows(), *second.changes(2_000)]


def test_another_seed_gives_other_transactions(shop: UseCase, scenario: Scenario) -> None:
    assert [*Generator(shop, scenario, seed=7).changes(50)] != [*Generator(shop, scenario, seed=8).changes(50)]


def test_changes_stop_at_exactly_the_number_asked_for(shop: UseCase, scenario: Scenario) -> None:
    generator = Generator(shop, scenario, seed=1)
    list(generator.seed_rows())

    assert len(statements(list(generator.changes(777)))) == 777


def test_seeding_fills_each_table_to_its_initial_rows(shop: UseCase, scenario: Scenario) -> None:
    seeded = statements(list(Generator(shop, scenario, seed=1).seed_rows()))

    assert Counter(statement.table for statement in seeded) == {"customers": 10, "visits": 30}
    assert {statement.operation for statement in seeded} == {INSERT}


def test_seeding_a_full_table_adds_nothing(shop: UseCase, scenario: Scenario) -> None:
    full = {"customers": ExistingRows(tuple((number,) for number in range(1, 11)))}

    seeded = statements(list(Generator(shop, scenario, seed=1, existing=full).seed_rows()))

    assert {statement.table for statement in seeded} == {"visits"}


def test_rows_are_shared_out_like_the_initial_rows(scenario: Scenario) -> None:
    assert initial_rows(scenario, 400) == {"customers": 100, "visits": 300}


def test_no_statement_touches_a_row_that_does_not_exist_and_no_key_is_inserted_twice(
    shop: UseCase, scenario: Scenario
) -> None:
    generator, live = Generator(shop, scenario, seed=3), set()
    for statement in statements([*generator.seed_rows(), *generator.changes(5_000)]):
        row = (statement.table, statement.key)
        assert (row in live) == (statement.operation != INSERT)
        if statement.operation == INSERT:
            live.add(row)
        if statement.operation == DELETE:
            live.remove(row)


def test_a_second_run_goes_on_behind_the_keys_that_exist(shop: UseCase, scenario: Scenario) -> None:
    latest = datetime(2026, 3, 1, tzinfo=UTC)
    existing = {"customers": ExistingRows(((41,), (42,))), "visits": ExistingRows(((41, latest),))}

    made = statements(list(Generator(shop, scenario, seed=1, existing=existing).seed_rows()))

    customers = [statement.key for statement in made if statement.table == "customers"]
    visits = [statement.key for statement in made if statement.table == "visits"]
    assert customers[0] == (43,)
    assert all(came_at > latest for _, came_at in visits)


def test_a_row_that_breaks_a_rule_is_mended_by_its_next_update(shop: UseCase, scenario: Scenario) -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    existing = {
        "customers": ExistingRows(((1,),)),
        "visits": ExistingRows(((1, when),), {(1, when): frozenset({"spent"})}),
    }
    generator = Generator(shop, scenario.without_violations(), seed=2, existing=existing)

    updates = [
        dict(statement.values)["spent"]
        for statement in statements(list(generator.changes(300)))
        if statement.operation == UPDATE and statement.key == (1, when)
    ]

    assert not isinstance(updates[0], Increase)
    assert all(isinstance(value, Increase) for value in updates[1:])


def test_violations_come_at_the_configured_share(shop: UseCase, scenario: Scenario) -> None:
    generator, summary = Generator(shop, scenario, seed=5), Summary()
    for transaction in [*generator.seed_rows(), *generator.changes(20_000)]:
        summary.add(transaction)

    writes = summary.operations["customers", INSERT] + summary.operations["customers", UPDATE]
    assert summary.violations["customers", "nameless"] / writes == pytest.approx(0.25, abs=0.02)


def test_operations_come_at_the_configured_weights(shop: UseCase, scenario: Scenario) -> None:
    generator, summary = Generator(shop, scenario, seed=5), Summary()
    list(generator.seed_rows(4_000))
    for transaction in generator.changes(20_000):
        summary.add(transaction)

    inserts, deletes = summary.operations["visits", INSERT], summary.operations["visits", DELETE]
    assert inserts / deletes == pytest.approx(4, rel=0.15)


def test_one_row_sometimes_changes_several_times_in_one_transaction(shop: UseCase, scenario: Scenario) -> None:
    generator = Generator(shop, scenario, seed=5)
    list(generator.seed_rows())

    repeats = [
        transaction
        for transaction in generator.changes(500)
        if any(one.operation == two.operation == UPDATE and one.key == two.key for one, two in pairwise(transaction))
    ]

    assert repeats


def test_keys_change_only_where_the_scenario_says_so(shop: UseCase, scenario: Scenario) -> None:
    customers = scenario.tables["customers"].model_copy(update={"key_change_share": 0.5})
    changing = scenario.model_copy(update={"tables": {**scenario.tables, "customers": customers}})

    def key_changes(of: Scenario) -> list[Statement]:
        generator = Generator(shop, of, seed=5)
        made = statements([*generator.seed_rows(), *generator.changes(500)])
        return [one for one in made if one.operation == UPDATE and set(one.key_columns) & set(dict(one.values))]

    assert key_changes(scenario) == []
    assert key_changes(changing)
