"""The generator: a scenario, the rows that exist, and a seed become a reproducible stream of transactions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise

from fluvial.columns import DELETE, INSERT, UPDATE
from fluvial.config.model import Table, UseCase
from fluvial.generate.chance import Chance
from fluvial.generate.draws import Increase, Value
from fluvial.generate.live_rows import Key, LiveKeys
from fluvial.generate.scenario import Scenario, TableScenario
from fluvial.generate.statements import Statement, Transaction
from fluvial.generate.values import Serial

_SEEDED_ROWS_PER_TRANSACTION = 50
_SECOND_VIOLATION_SHARE = 0.2


@dataclass(frozen=True)
class ExistingRows:
    """What a table holds before the generator starts, in key order."""

    keys: tuple[Key, ...] = ()
    broken: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    """Columns that hold one of the scenario's rule-breaking values."""


class Generator:
    """Makes transactions and keeps account of the rows they leave behind; every transaction has to be applied."""

    def __init__(
        self, use_case: UseCase, scenario: Scenario, seed: int, existing: Mapping[str, ExistingRows] | None = None
    ) -> None:
        self._scenario = scenario
        self._tables = {name: use_case.table(name) for name in scenario.tables}
        existing = existing or {}
        rows = {name: existing.get(name, ExistingRows()) for name in scenario.tables}
        self._live = {name: LiveKeys(rows[name].keys, rows[name].broken) for name in scenario.tables}
        serials = {name: _last_serial(self._tables[name], scenario.tables[name], rows[name].keys) for name in rows}
        self._chance = Chance(seed, _clock_start(scenario, rows), self._live, serials)
        self._operations = _weighted_operations(scenario)

    def seed_rows(self, rows: int | None = None) -> Iterator[Transaction]:
        """Inserts until each table holds its initial rows, or its share of `rows`; nothing where it already does."""
        for name, target in initial_rows(self._scenario, rows).items():
            while (missing := target - len(self._live[name])) > 0:
                inserts = min(missing, _SEEDED_ROWS_PER_TRANSACTION)
                yield tuple(statement for _ in range(inserts) for statement in self._insert(name))

    def changes(self, rows: int | None = None) -> Iterator[Transaction]:
        """Transactions by the scenario's weights: endless, or until exactly `rows` statements were made."""
        remaining = rows
        while remaining is None or remaining > 0:
            transaction = self._transaction(remaining)
            if remaining is not None:
                remaining -= len(transaction)
            yield transaction

    def _transaction(self, at_most: int | None) -> Transaction:
        shape, wanted = self._scenario.transactions, 1
        if self._chance.happens(shape.multi_statement_share):
            wanted = self._chance.random.randint(2, shape.max_statements)
        wanted = wanted if at_most is None else min(wanted, at_most)
        statements: list[Statement] = []
        while len(statements) < wanted:
            statements.extend(self._change(wanted - len(statements)))
        return tuple(statements)

    def _change(self, room: int) -> list[Statement]:
        names, weights = self._operations
        table, operation = self._chance.random.choices(names, weights)[0]
        live, plan = self._live[table], self._scenario.tables[table]
        if operation == DELETE and len(live) > plan.min_rows:
            return [self._delete(table)]
        if operation != INSERT and len(live) and plan.updates:
            return self._updates(table, room)
        return self._insert(table)

    def _insert(self, table: str, ancestors: frozenset[str] = frozenset()) -> list[Statement]:
        plan, ancestors = self._scenario.tables[table], ancestors | {table}
        missing = [name for name in sorted(plan.references - ancestors) if not len(self._live[name])]
        before = [statement for name in missing for statement in self._insert(name, ancestors)]
        values = {name: self._chance.draw(kind, table) for name, kind in plan.columns.items()}
        violations, broken = self._break(table, values, INSERT)
        key = tuple(_plain(values[name]) for name in self._tables[table].primary_key)
        self._live[table].add(key, broken)
        return [*before, self._statement(table, INSERT, key, values, violations)]

    def _updates(self, table: str, room: int) -> list[Statement]:
        key = self._live[table].pick(self._chance.random)
        times = 1
        if self._chance.happens(self._scenario.transactions.repeated_update_share):
            times = min(room, self._chance.random.randint(2, 4))
        statements = [self._update(table, key) for _ in range(times)]
        if self._chance.happens(self._scenario.tables[table].key_change_share):
            statements[-1] = self._with_new_key(table, statements[-1])
        return statements

    def _update(self, table: str, key: Key) -> Statement:
        plan, live = self._scenario.tables[table], self._live[table]
        kind = self._chance.random.choices(plan.updates, [update.weight for update in plan.updates])[0]
        values = {name: self._chance.draw(value, table) for name, value in kind.set.items()}
        # A row that broke a rule is mended by whoever touches it next, so that the count of violations
        # is also the count of events that break a rule.
        for column in sorted(live.broken_columns(key)):
            if isinstance(values.get(column), Increase) or column not in values:
                values[column] = self._chance.draw(plan.columns[column], table)
        violations, broken = self._break(table, values, UPDATE)
        live.mark(key, broken)
        return self._statement(table, UPDATE, key, values, violations)

    def _with_new_key(self, table: str, update: Statement) -> Statement:
        plan, live = self._scenario.tables[table], self._live[table]
        names = self._tables[table].primary_key
        new = {name: self._chance.draw(plan.columns[name], table) for name in names}
        broken = live.broken_columns(update.key)
        live.remove(update.key)
        live.add(tuple(_plain(new[name]) for name in names), broken)
        return self._statement(table, UPDATE, update.key, {**dict(update.values), **new}, update.violations)

    def _delete(self, table: str) -> Statement:
        key = self._live[table].pick(self._chance.random)
        self._live[table].remove(key)
        return self._statement(table, DELETE, key, {}, ())

    def _break(
        self, table: str, values: dict[str, Value | Increase], operation: str
    ) -> tuple[tuple[str, ...], frozenset[str]]:
        """Overwrites one column, sometimes two, with what breaks a rule, as often as the scenario says."""
        plan = self._scenario.tables[table]
        if operation.lower() not in plan.violations_in or not self._chance.happens(plan.violation_share):
            return (), frozenset()
        columns = {rule.id: rule.column for rule in self._tables[table].dq_rules}
        count = 2 if self._chance.happens(_SECOND_VIOLATION_SHARE) else 1
        chosen = self._chance.random.choices(plan.violations, [kind.weight for kind in plan.violations], k=count)
        by_column = {columns[kind.rule]: kind for kind in chosen}
        for column, kind in by_column.items():
            values[column] = self._chance.random.choice(kind.values)
        return tuple(kind.name for kind in by_column.values()), frozenset(by_column)

    def _statement(
        self, table: str, operation: str, key: Key, values: Mapping[str, Value | Increase], violations: tuple[str, ...]
    ) -> Statement:
        return Statement(table, operation, self._tables[table].primary_key, key, tuple(values.items()), violations)


def initial_rows(scenario: Scenario, rows: int | None = None) -> dict[str, int]:
    """How many rows each table starts with: as configured, or exactly `rows` shared out in the same proportion."""
    configured = {name: plan.initial_rows for name, plan in scenario.tables.items()}
    total = sum(configured.values())
    if rows is None or total == 0:
        return configured
    ends = [0, *(round(rows * end / total) for end in accumulate(configured.values()))]
    return {name: end - start for name, (start, end) in zip(configured, pairwise(ends), strict=True)}


def _weighted_operations(scenario: Scenario) -> tuple[list[tuple[str, str]], list[float]]:
    weighted = {
        (name, operation): weight
        for name, plan in scenario.tables.items()
        for operation, weight in (
            (INSERT, plan.weights.insert),
            (UPDATE, plan.weights.update),
            (DELETE, plan.weights.delete),
        )
    }
    return list(weighted), list(weighted.values())


def _last_serial(table: Table, plan: TableScenario, keys: tuple[Key, ...]) -> int:
    for place, column in enumerate(table.primary_key):
        kind = plan.columns.get(column)
        if isinstance(kind, Serial):
            return max((kind.number(key[place]) for key in keys), default=0)
    return 0


def _clock_start(scenario: Scenario, rows: Mapping[str, ExistingRows]) -> datetime:
    """Past every time that is part of a key, so that a second run makes no key that the first one made."""
    keys = (key for existing in rows.values() for key in existing.keys)
    return max([scenario.clock_start, *(part for key in keys for part in key if isinstance(part, datetime))])


def _plain(value: Value | Increase) -> Value:
    return None if isinstance(value, Increase) else value
