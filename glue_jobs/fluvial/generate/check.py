"""What scenario.yaml and tables.yaml have to agree on."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from faker import Faker

from fluvial.config.extensions import UserRule
from fluvial.config.model import Table, UseCase
from fluvial.config.rules import AllowedValuesRule, LengthRule, RangeRule, RegexRule, Rule
from fluvial.config.values import as_decimal, as_time
from fluvial.generate.draws import Value
from fluvial.generate.scenario import Scenario, TableScenario, ViolationKind
from fluvial.generate.values import Fake, Reference, ValueKind

Place = tuple[str | int, ...]
"""Keys and indexes that lead to the value in the file."""
Found = tuple[Place, str]


def check_scenario(scenario: Scenario, use_case: UseCase) -> tuple[Found, ...]:
    """Every disagreement, with its place in scenario.yaml."""
    known = {table.name: table for table in use_case.tables}
    found: list[Found] = []
    for name, plan in scenario.tables.items():
        place: Place = ("tables", name)
        if name not in known:
            found.append((place, f"tables.yaml has no table '{name}'"))
            continue
        found.extend(_check_columns(place, plan, known[name], frozenset(scenario.tables)))
        found.extend(_check_violations(place, plan, known[name]))
    return tuple(found)


def breaks(rule: Rule, value: Value) -> bool:
    """Whether a value violates a rule, as `fluvial.quality` sees it: null passes all rules but `not_null`."""
    match rule:
        case RangeRule(params=bounds):
            return value is not None and _is_outside(value, bounds.min, bounds.max)
        case AllowedValuesRule(params=allowed):
            return value is not None and value not in allowed.values
        case RegexRule(params=text):
            return value is not None and re.search(text.pattern, str(value)) is None
        case LengthRule(params=bounds):
            return value is not None and _is_outside(len(str(value)), bounds.min, bounds.max)
        case UserRule():
            return True  # only Spark can tell
        case _:
            return value is None


def _is_outside(value: Any, low: Any, high: Any) -> bool:
    found = _comparable(value)
    return (low is not None and found < _comparable(low)) or (high is not None and found > _comparable(high))


def _comparable(value: Any) -> Any:
    """A moment without its zone for a date or timestamp, also where tables.yaml writes it as text; else a number."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    number = as_decimal(text)
    return as_time(text) if number is None else number


def _check_columns(place: Place, plan: TableScenario, table: Table, tables: frozenset[str]) -> Iterator[Found]:
    for key in table.primary_key:
        if key not in plan.columns:
            yield (*place, "columns"), f"the key column '{key}' needs a value"
    for where, columns in _column_groups(place, plan):
        for name, kind in columns.items():
            yield from (((*where, name), problem) for problem in _column_problems(name, kind, table, tables))
    for index, update in enumerate(plan.updates):
        if keys := sorted(set(update.set) & set(table.primary_key)):
            yield (*place, "updates", index, "set", keys[0]), "a key changes through key_change_share only"


def _column_groups(place: Place, plan: TableScenario) -> Iterator[tuple[Place, dict[str, ValueKind]]]:
    yield (*place, "columns"), plan.columns
    for index, update in enumerate(plan.updates):
        yield (*place, "updates", index, "set"), update.set


def _column_problems(name: str, kind: ValueKind, table: Table, tables: frozenset[str]) -> Iterator[str]:
    if name not in table.column_names:
        yield f"table '{table.name}' has no column '{name}'"
    if isinstance(kind, Reference) and kind.table not in tables:
        yield f"no table '{kind.table}' in this scenario to refer to"
    if isinstance(kind, Fake) and not hasattr(Faker, kind.provider) and not hasattr(Faker(), kind.provider):
        yield f"faker has no provider '{kind.provider}'"
    if kind.null_share and (name in table.primary_key or _is_watched(name, table)):
        yield f"null_share on '{name}', which is a key or watched by a not_null rule: use a violation"


def _is_watched(name: str, table: Table) -> bool:
    return any(rule.type == "not_null" and rule.column == name for rule in table.dq_rules)


def _check_violations(place: Place, plan: TableScenario, table: Table) -> Iterator[Found]:
    rules = {rule.id: rule for rule in table.dq_rules}
    for index, violation in enumerate(plan.violations):
        where = (*place, "violations", index)
        if violation.rule not in rules:
            yield (*where, "rule"), f"table '{table.name}' has no rule '{violation.rule}'"
            continue
        yield from _violation_problems(where, violation, rules[violation.rule], plan, table)


def _violation_problems(
    where: Place, violation: ViolationKind, rule: Rule, plan: TableScenario, table: Table
) -> Iterator[Found]:
    if rule.looks_at_batch:
        yield (*where, "rule"), f"rule '{rule.id}' compares rows of a micro-batch: no value breaks it by itself"
        return
    for index, value in enumerate(violation.values):
        if not breaks(rule, value):
            yield (*where, "values", index), f"{value!r} doesn't break rule '{rule.id}'"
    if rule.column in table.primary_key:
        yield (*where, "rule"), f"rule '{rule.id}' watches a key column, and a broken key is a dead letter"
    elif rule.column not in plan.columns:
        yield (*where, "rule"), f"`columns` has no good value for '{rule.column}', which this violation breaks"
