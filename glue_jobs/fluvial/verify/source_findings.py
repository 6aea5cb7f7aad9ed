"""Where a running source differs from its tables.yaml, as findings at the place of the file that says otherwise."""

import re
from collections.abc import Iterator
from typing import Final

from fluvial.config.codes import Code
from fluvial.config.findings import Finding, Path, did_you_mean
from fluvial.config.model import Column, Table, UseCase
from fluvial.config.types import postgres_type
from fluvial.verify.source_facts import SourceColumn, SourceFacts, SourceTable

_WHOLE: Final = ("smallint", "integer", "bigint")
_TEXTS: Final = re.compile(r"(text|uuid|jsonb?|citext|character( varying)?)(\(\d+\))?|character(\(\d+\))?")
_NUMERIC: Final = re.compile(r"numeric\((\d+),(-?\d+)\)")


def source_findings(use_case: UseCase, facts: SourceFacts) -> Iterator[Finding]:
    """The server first, then table by table."""
    yield from _server(facts)
    for position, table in enumerate(use_case.tables):
        found, path = facts.tables.get(table.name), ("tables", position)
        if found is None:
            yield _missing_table(use_case, table, facts, (*path, "name"))
        else:
            capture = use_case.source_database.capture
            findings = (*_table(table, found, facts.role), *unseen(table.name, found, facts.role, capture))
            yield from (finding.below(*path) for finding in findings)


def _server(facts: SourceFacts) -> Iterator[Finding]:
    path: Path = ("source_database",)
    if facts.wal_level != "logical":
        hint = "alter system set wal_level = 'logical', and restart; on Amazon RDS set rds.logical_replication = 1"
        yield Finding(path, Code.WAL_LEVEL, "the source keeps no logical log", hint, "logical", facts.wal_level)
    if facts.free_slots < 1:
        hint = "raise max_replication_slots, or drop a slot that nobody reads: see pg_replication_slots"
        yield Finding(path, Code.NO_FREE_SLOT, "the source has no free replication slot", hint, "1 or more", "0")
    if not facts.may_replicate:
        message = f"role '{facts.role}' may not replicate"
        hint = f"alter role {facts.role} replication; on Amazon RDS grant rds_replication to {facts.role}"
        yield Finding(path, Code.NO_PRIVILEGE, message, hint, "REPLICATION", "none")


def _missing_table(use_case: UseCase, table: Table, facts: SourceFacts, path: Path) -> Finding:
    name = f"{use_case.source_database.schema_name}.{table.name}"
    near = did_you_mean(table.name, facts.similar)
    hint = near if near.startswith("did you mean") else "deploy the use case, which makes it, or correct the name"
    return Finding(path, Code.NO_SOURCE_TABLE, f"the source has no table {name}", hint, name, "nothing")


def _table(table: Table, found: SourceTable, role: str) -> Iterator[Finding]:
    for position, column in enumerate(table.columns):
        if column.name not in found.columns:
            message = f"source table '{table.name}' has no column '{column.name}'"
            hint, expected = did_you_mean(column.name, found.columns), postgres_type(column.type)
            yield Finding(("schema", position, "name"), Code.NO_SOURCE_COLUMN, message, hint, expected, "nothing")
        else:
            yield from _column(column, found.columns[column.name], ("schema", position))
    if found.primary_key != table.primary_key:
        yield _other_key(table, found)
    if found.identity not in {"full", table.replica_identity}:
        yield _weak_identity(table, found)
    if not found.is_readable:
        message = f"role '{role}' may not read table '{table.name}'"
        yield Finding(("name",), Code.NO_PRIVILEGE, message, f"grant select on the table to {role}", "SELECT", "none")


def _column(column: Column, found: SourceColumn, path: Path) -> Iterator[Finding]:
    expected = postgres_type(column.type)
    if found.is_generated:
        message = f"column '{column.name}' is generated in the source, and no change event has its value"
        hint = "leave it out, and derive it with a `map` if it is needed"
        yield Finding((*path, "name"), Code.SOURCE_COLUMN_GENERATED, message, hint, "a stored value", "generated")
    elif not _fits(found, expected):
        message = (
            f"column '{column.name}' is {found.type} in the source, which a {column.type} column can't hold exactly"
        )
        hint = "write the source's type here, or change the source's column"
        yield Finding((*path, "type"), Code.SOURCE_TYPE_DIFFERS, message, hint, expected, found.type)
    elif found.type == "timestamp without time zone":
        message = f"column '{column.name}' has no time zone in the source, and is read as UTC"
        hint = "make it timestamp with time zone, or make sure that UTC is meant"
        yield Finding((*path, "type"), Code.SOURCE_WITHOUT_ZONE, message, hint, expected, found.type)


def _other_key(table: Table, found: SourceTable) -> Finding:
    keys = ", ".join(found.primary_key) or "nothing"
    message = f"the primary key of source table '{table.name}' is {keys}"
    hint = f"write primary_key: [{keys}]" if found.primary_key else "give the source table a primary key"
    return Finding(("primary_key",), Code.SOURCE_KEY_DIFFERS, message, hint, ", ".join(table.primary_key), keys)


def _weak_identity(table: Table, found: SourceTable) -> Finding:
    message = f"source table '{table.name}' has replica identity {found.identity}: old values may stay unknown"
    hint = f"alter table {table.name} replica identity full"
    return Finding(("name",), Code.WEAK_IDENTITY, message, hint, "full", found.identity)


def unseen(name: str, found: SourceTable, role: str, capture: str) -> Iterator[Finding]:
    """Rows of a table, or changes of them, that its capture by that role would miss without a word."""
    path: Path = ("name",)
    if found.hides_rows:
        message = f"row level security keeps rows of table '{name}' from role '{role}', so a snapshot lacks them"
        yield Finding(path, Code.SOURCE_ROWS_HIDDEN, message, f"alter role {role} bypassrls", "every row", "some")
    if found.is_inherited:
        message = f"tables inherit from '{name}': a snapshot has their rows, and no change of them follows"
        hint = "capture each of them by its own name; a hypertable of TimescaleDB is such a table"
        yield Finding(path, Code.SOURCE_INHERITED, message, hint, "a table, or partitions", "inheritance")
    if found.is_unlogged:
        message = f"source table '{name}' is unlogged: PostgreSQL writes down none of its changes"
        yield Finding(path, Code.SOURCE_UNLOGGED, message, f"alter table {name} set logged", "logged", "unlogged")
    if found.is_partitioned:
        yield _partitioned(name, capture)


def _partitioned(name: str, capture: str) -> Finding:
    """DMS reads the log, in which each row is of its partition."""
    if capture == "dms":
        message = f"source table '{name}' is partitioned: DMS would send none of its changes"
        hint = "capture with Debezium, or configure each partition as a table"
        return Finding(("name",), Code.SOURCE_CAPTURED_BY_PARTITION, message, hint, "one table", "partitions")
    message = f"source table '{name}' is partitioned: rows that leave with a whole partition stay current"
    hint = (
        "delete them before you drop, detach or truncate a partition; `fluvial verify --source` lists what was missed"
    )
    return Finding(("name",), Code.SOURCE_PARTITIONED, message, hint, "one table", "partitions")


def _fits(found: SourceColumn, expected: str) -> bool:
    """Whether every value of the source's type is one of the configured type."""
    actual = found.type
    if actual == expected:
        return True
    if actual in _WHOLE and expected in _WHOLE:
        return _WHOLE.index(actual) <= _WHOLE.index(expected)
    if expected == "text":
        return found.is_enum or _TEXTS.fullmatch(actual) is not None
    if (wide := _NUMERIC.fullmatch(expected)) is not None and (narrow := _NUMERIC.fullmatch(actual)) is not None:
        scales = int(narrow[2]), int(wide[2])
        return scales[0] <= scales[1] and int(narrow[1]) - scales[0] <= int(wide[1]) - scales[1]
    widened = {("real", "double precision"), ("timestamp without time zone", "timestamp with time zone")}
    return (actual, expected) in widened
