"""What a file of the right shape can still get wrong: names that lead nowhere, rules that don't fit their column."""

from collections.abc import Iterator, Sequence
from typing import Final

from fluvial.config.classification import classification_findings
from fluvial.config.codes import Code
from fluvial.config.findings import Finding, Path, did_you_mean, one_of
from fluvial.config.model import Table, UseCase
from fluvial.config.places import place_findings
from fluvial.config.reserved import is_reserved_table
from fluvial.config.rule_conflicts import conflict_findings
from fluvial.config.rules import Rule
from fluvial.config.transform_findings import transform_findings
from fluvial.config.types import family

_SHARES: Final = frozenset({"completeness", "uniqueness", "compliance"})


def use_case_findings(use_case: UseCase) -> Iterator[Finding]:
    """What is wrong with a use case whose shape is right, apart from its tables."""
    yield from place_findings(use_case)
    yield from _empty_lanes(use_case)
    protocol = use_case.kafka.security_protocol
    if "SSL" not in protocol:
        message = f"{protocol} sends records and passwords unprotected"
        path = ("kafka", "security_protocol")
        yield Finding(path, Code.UNPROTECTED_RECORDS, message, "write SASL_SSL", "SASL_SSL or SSL", protocol)


def _empty_lanes(use_case: UseCase) -> Iterator[Finding]:
    known = sorted({table.lane for table in use_case.tables})
    for name in use_case.settings.lanes:
        if name not in known:
            hint = did_you_mean(name, known)
            path = ("settings", "lanes", name)
            yield Finding(path, Code.EMPTY_LANE, f"no table is in lane '{name}'", hint, one_of(known), f"'{name}'")


def table_findings(
    table: Table, untyped: frozenset[str] = frozenset(), made: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Everything wrong inside one table.

    `untyped` columns have an unreadable type that nothing is held against; broken transforms would have `made` others.
    """
    yield from _reserved_name(table.name)
    yield from _repeated(table.primary_key, "primary_key", "", Code.DUPLICATE_COLUMN, "column")
    yield from _repeated([column.name for column in table.columns], "schema", "name", Code.DUPLICATE_COLUMN, "column")
    yield from _repeated([rule.id for rule in table.dq_rules], "dq_rules", "id", Code.DUPLICATE_ID, "rule id")
    yield from _repeated([step.id for step in table.transforms], "transforms", "id", Code.DUPLICATE_ID, "transform id")
    yield from _unknown_columns(table)
    yield from _check_findings(table)
    types = {column.name: column.type for column in table.columns if column.name not in untyped}
    for position, rule in enumerate(table.dq_rules):
        yield from (found.below("dq_rules", position) for found in _rule_findings(rule, types.get(rule.column)))
    yield from transform_findings(table, untyped, made)
    yield from conflict_findings(table, types)
    yield from classification_findings(table)


def between_tables(tables: Sequence[tuple[int, Table]]) -> Iterator[Finding]:
    """Names, topics and places that two tables share; each table comes with its position in the file."""
    for attribute in ("name", "topic", "delta_path"):
        first: dict[str, str] = {}
        for position, table in tables:
            value = str(getattr(table, attribute)).rstrip("/")
            if value and (owner := first.setdefault(value.lower(), f"table {position + 1}")) != f"table {position + 1}":
                message = f"{attribute} '{value}' is already used by {owner} of the file"
                yield Finding(("tables", position, attribute), Code.DUPLICATE_TABLE, message, "give each table its own")


def _reserved_name(name: str) -> Iterator[Finding]:
    if is_reserved_table(name):
        message = f"table name '{name}' is reserved: Fluvial keeps a table of its own there"
        yield Finding(("name",), Code.RESERVED_NAME, message, "rename the table in the source, or leave it out")


def _repeated(values: Sequence[str], key: str, attribute: str, code: Code, noun: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        # Spark and Delta read column names without regard to case.
        earlier = first.setdefault(value.lower(), position)
        if value and earlier != position:
            message = f"{noun} '{value}' is used twice; first in item {earlier + 1} of {key}"
            yield Finding((key, position, attribute), code, message, "rename or remove one of the two")


def _unknown_columns(table: Table) -> Iterator[Finding]:
    for path, name in _named_columns(table):
        yield from unknown_column(table, path, name)


def unknown_column(table: Table, path: Path, name: str) -> Iterator[Finding]:
    """What is wrong with a name that should be one of the source's columns."""
    known = dict.fromkeys(table.column_names)
    if name not in known:
        message = f"column '{name}' isn't in the schema of table '{table.name}'"
        hint = did_you_mean(name, known)
        yield Finding(path, Code.UNKNOWN_COLUMN, message, hint, one_of(known), f"'{name}'")


def _named_columns(table: Table) -> Iterator[tuple[Path, str]]:
    yield from ((("primary_key", position), name) for position, name in enumerate(table.primary_key))
    for position, rule in enumerate(table.dq_rules):
        yield ("dq_rules", position, "column"), rule.column
    for position, check in enumerate(table.deequ_checks):
        if check.column is not None:
            yield ("deequ_checks", position, "column"), check.column


def _rule_findings(rule: Rule, spark_type: str | None) -> Iterator[Finding]:
    if spark_type is None:
        return
    if family(spark_type) not in rule.accepts:
        wanted = " or ".join(sorted(rule.accepts))
        message = f"rule '{rule.type}' needs a {wanted} column; '{rule.column}' is {spark_type}"
        hint = "choose another rule, or correct the column's type"
        yield Finding(("column",), Code.RULE_MISFITS_TYPE, message, hint, f"a {wanted} column", spark_type)
        return
    yield from rule.check_params(spark_type)


def _check_findings(table: Table) -> Iterator[Finding]:
    known, ruled = set(table.column_names), {rule.column for rule in table.dq_rules}
    for position, check in enumerate(table.deequ_checks):
        if check.metric not in _SHARES:
            continue
        if check.column is None:
            hint = f"add `column:`, one of {', '.join(table.column_names)}"
            yield Finding(("deequ_checks", position), Code.WRONG_CHECK, f"'{check.metric}' measures a column", hint)
        if check.threshold > 1:
            message = f"'{check.metric}' is a share: its threshold {check.threshold:g} can never be reached"
            path = ("deequ_checks", position, "threshold")
            hint = "give a number from 0 to 1"
            yield Finding(path, Code.WRONG_CHECK, message, hint, "0 to 1", f"{check.threshold:g}")
        if check.metric == "compliance" and check.column in known and check.column not in ruled:
            message = f"no rule judges column '{check.column}', so its compliance is always 1"
            path = ("deequ_checks", position, "column")
            yield Finding(path, Code.NOTHING_TO_MEASURE, message, "add a rule for it, or remove the check")
