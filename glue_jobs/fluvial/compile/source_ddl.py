"""tables.yaml to PostgreSQL: the statements that make the source tables and open them for capture.

Every statement can run again without harm. No table gets a CHECK constraint, and a column watched by a `not_null`
rule stays nullable: what breaks a rule has to reach the quarantine, not fail at the source.
"""

import json

from fluvial.compile.source_names import (
    CAPTURE_ROLE,
    DMS_SCHEMA,
    HEARTBEAT_TABLE,
    SIGNAL_TABLE,
    publication_name,
    qualified,
)
from fluvial.config.model import Column, Table, UseCase
from fluvial.config.types import postgres_type
from fluvial.sql_text import quote


def compile_source_ddl(use_case: UseCase) -> tuple[str, ...]:
    """Statements, run by the database's owner in this order, that make schema, tables, heartbeat and signal table."""
    return (
        f"create schema if not exists {quote(use_case.source_database.schema_name)}",
        *(statement for table in use_case.tables for statement in _table_statements(use_case, table)),
        *_heartbeat_statements(use_case),
        _signal_statement(use_case),
    )


def compile_added_column(use_case: UseCase, table: Table, column: Column) -> str:
    """The statement that gives an existing table one more column; nullable, because there may be rows already."""
    name = qualified(use_case, table.name)
    return f"alter table {name} add column if not exists {quote(column.name)} {postgres_type(column.type)}"


def compile_snapshot_request(use_case: UseCase, table: Table) -> str:
    """The statement that asks a running connector for the rows of a table that it has only just begun to capture."""
    request = {"type": "incremental", "data-collections": [f"{use_case.source_database.schema_name}.{table.name}"]}
    values = f"left(md5(random()::text), 16), 'execute-snapshot', '{json.dumps(request)}'"
    return f"insert into {qualified(use_case, SIGNAL_TABLE)} (id, type, data) values ({values})"


def compile_capture_ddl(use_case: UseCase) -> tuple[str, ...]:
    """Statements, run by the database's owner, that give the capture role its rights and publish the tables.

    The role gets no password here, because text that is compiled is also printed; whoever runs this sets one.
    """
    return (_create_role("login replication"), *_rights(use_case))


def compile_rds_capture_ddl(use_case: UseCase) -> tuple[str, ...]:
    """The same for Amazon RDS, where replicating is a role that is granted, and a place for the heartbeat of DMS."""
    role = quote(CAPTURE_ROLE)
    return (
        _create_role("login"),
        f"grant rds_replication to {role}",
        # DMS makes its heartbeat table by itself; a schema of its own keeps it from needing rights on others.
        f"create schema if not exists {quote(DMS_SCHEMA)} authorization {role}",
        *_rights(use_case),
    )


def _rights(use_case: UseCase) -> tuple[str, ...]:
    return (
        f"grant usage on schema {quote(use_case.source_database.schema_name)} to {quote(CAPTURE_ROLE)}",
        f"grant select on {_joined(use_case, _business_tables(use_case))} to {quote(CAPTURE_ROLE)}",
        f"grant select, insert, update on {_joined(use_case, _own_tables())} to {quote(CAPTURE_ROLE)}",
        _create_publication(use_case),
        # The rows of a partitioned table are its own, whatever partition they lie in: nobody configures those.
        f"alter publication {quote(publication_name(use_case))} set (publish_via_partition_root = true)",
        f"alter publication {quote(publication_name(use_case))} set table "
        f"{_joined(use_case, (*_business_tables(use_case), *_own_tables()))}",
    )


def is_required(table: Table, column: Column) -> bool:
    """Whether the source column is NOT NULL: a key column, or `nullable: false` that no rule watches."""
    watched = any(rule.type == "not_null" and rule.column == column.name for rule in table.dq_rules)
    return column.name in table.primary_key or (not column.nullable and not watched)


def _table_statements(use_case: UseCase, table: Table) -> tuple[str, ...]:
    name = qualified(use_case, table.name)
    lines = [_column_line(table, column) for column in table.columns]
    lines.append(f"primary key ({', '.join(quote(column) for column in table.primary_key)})")
    # FULL by default, so that an update which leaves a TOASTed column alone still carries it, and deletes the old row.
    return (
        f"create table if not exists {name} (\n  " + ",\n  ".join(lines) + "\n)",
        f"alter table {name} replica identity {table.replica_identity}",
        _identify_partitions(name, table.replica_identity),
    )


def _identify_partitions(name: str, identity: str) -> str:
    """What PostgreSQL logs of a row is said by its partition, which takes nothing over from the table."""
    parts = (
        f"select part.oid::regclass::text from pg_partition_tree('{name}') as tree "
        f"join pg_class as part on part.oid = tree.relid where part.relreplident <> '{identity[0]}'"
    )
    alter = f"execute 'alter table ' || part || ' replica identity {identity}'"
    return f"do $$ declare part text; begin for part in {parts} loop {alter}; end loop; end $$"


def _column_line(table: Table, column: Column) -> str:
    suffix = " not null" if is_required(table, column) else ""
    return f"{quote(column.name)} {postgres_type(column.type)}{suffix}"


def _heartbeat_statements(use_case: UseCase) -> tuple[str, str]:
    name = qualified(use_case, HEARTBEAT_TABLE)
    return (
        f"create table if not exists {name} (id integer primary key, beat_at timestamp with time zone not null)",
        f"insert into {name} (id, beat_at) values (1, now()) on conflict (id) do nothing",
    )


def _signal_statement(use_case: UseCase) -> str:
    columns = "id varchar(42) primary key, type varchar(32) not null, data varchar(2048)"
    return f"create table if not exists {qualified(use_case, SIGNAL_TABLE)} ({columns})"


def _create_role(attributes: str) -> str:
    return (
        f"do $$ begin if not exists (select from pg_roles where rolname = '{CAPTURE_ROLE}') "
        f"then create role {quote(CAPTURE_ROLE)} {attributes}; end if; end $$"
    )


def _create_publication(use_case: UseCase) -> str:
    name = publication_name(use_case)
    return (
        f"do $$ begin if not exists (select from pg_publication where pubname = '{name}') "
        f"then create publication {quote(name)}; end if; end $$"
    )


def _business_tables(use_case: UseCase) -> tuple[str, ...]:
    return tuple(table.name for table in use_case.tables)


def _own_tables() -> tuple[str, str]:
    return (HEARTBEAT_TABLE, SIGNAL_TABLE)


def _joined(use_case: UseCase, names: tuple[str, ...]) -> str:
    return ", ".join(qualified(use_case, name) for name in names)
