"""Reads which rows a source holds, so that the generator goes on from there."""

from collections.abc import Iterator

from psycopg import sql

from fluvial.config.model import Table, UseCase
from fluvial.config.types import postgres_type
from fluvial.generate.changes import ExistingRows
from fluvial.generate.draws import Value
from fluvial.generate.live_rows import Key
from fluvial.generate.scenario import Scenario, TableScenario
from fluvial.local.source_database import Connection


def read_existing_rows(connection: Connection, use_case: UseCase, scenario: Scenario) -> dict[str, ExistingRows]:
    """Keys of every table of the scenario, and which of its rows hold one of the rule-breaking values."""
    schema = use_case.source_database.schema_name
    return {
        name: ExistingRows(
            tuple(_select_keys(connection, schema, use_case.table(name), sql.SQL("true"))),
            _read_broken(connection, schema, use_case.table(name), plan),
        )
        for name, plan in scenario.tables.items()
    }


def _read_broken(connection: Connection, schema: str, table: Table, plan: TableScenario) -> dict[Key, frozenset[str]]:
    columns = {rule.id: rule.column for rule in table.dq_rules}
    broken: dict[Key, frozenset[str]] = {}
    for violation in plan.violations:
        column = columns[violation.rule]
        condition = _is_any_of(table, column, violation.values)
        for key in _select_keys(connection, schema, table, condition):
            broken[key] = broken.get(key, frozenset()) | {column}
    return broken


def _is_any_of(table: Table, column: str, values: tuple[Value, ...]) -> sql.Composable:
    column_type = next(postgres_type(known.type) for known in table.columns if known.name == column)
    tests = [
        sql.SQL("{} is not distinct from {}::{}").format(
            sql.Identifier(column),
            sql.Literal(None if value is None else str(value)),
            sql.SQL(column_type),
        )
        for value in values
    ]
    return sql.SQL(" or ").join(tests)


def _select_keys(connection: Connection, schema: str, table: Table, condition: sql.Composable) -> Iterator[Key]:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in table.primary_key)
    query = sql.SQL("select {} from {} where {} order by {}").format(
        names, sql.Identifier(schema, table.name), condition, names
    )
    return iter(connection.execute(query).fetchall())
