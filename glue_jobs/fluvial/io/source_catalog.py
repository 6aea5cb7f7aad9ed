"""Reads what PostgreSQL's catalog says about a use case's source; changes nothing."""

from collections import defaultdict
from typing import Any, Final

import psycopg

from fluvial.compile.source_names import CAPTURE_ROLE, slot_name
from fluvial.config.model import UseCase
from fluvial.errors import SourceError
from fluvial.verify.source_facts import COLUMN_TYPE, SourceColumn, SourceFacts, SourceTable

Connection = psycopg.Connection[Any]

_SECONDS: Final = 10
_SERVER: Final = """
select current_setting('wal_level'),
       current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots)
"""
_ROLE: Final = """
select rolname::text, rolreplication or rolsuper
       or coalesce(pg_has_role(oid, (select oid from pg_roles where rolname = 'rds_replication'), 'member'), false)
from pg_roles where rolname in (%s, current_user) order by rolname = %s desc limit 1
"""
_TABLES: Final = """
select class.relname::text,
       coalesce((select part.relreplident::text
                 from pg_partition_tree(class.oid) tree join pg_class part on part.oid = tree.relid
                 order by array_position(array['n', 'd', 'i', 'f'], part.relreplident::text) limit 1),
                class.relreplident::text),
       has_table_privilege(%s, class.oid, 'select'),
       class.relkind = 'p',
       class.relrowsecurity and not reader.rolsuper and not reader.rolbypassrls
       and (class.relforcerowsecurity or class.relowner <> reader.oid),
       class.relkind = 'r' and exists (select from pg_inherits where inhparent = class.oid),
       class.relpersistence = 'u'
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
left join pg_roles reader on reader.rolname = %s
where namespace.nspname = %s and class.relkind in ('r', 'p')
"""
_COLUMNS: Final = f"""
select class.relname::text, attribute.attname::text, {COLUMN_TYPE},
       attribute.attnotnull, coalesce(array_position(key.conkey, attribute.attnum), 0), kind.typtype = 'e',
       attribute.attgenerated <> ''
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
join pg_type kind on kind.oid = attribute.atttypid
left join pg_constraint key on key.conrelid = class.oid and key.contype = 'p'
where namespace.nspname = %s and class.relkind in ('r', 'p')
order by class.relname, attribute.attnum
"""  # noqa: S608 - put together from constants
_IDENTITIES: Final = {"f": "full", "d": "default", "i": "index", "n": "nothing"}


def read_source_facts(dsn: str, use_case: UseCase) -> SourceFacts:
    """One look at the server; raises SourceError where it can't be reached or refuses."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=_SECONDS) as connection:
            connection.execute("set default_transaction_read_only = on")
            return _facts(connection, use_case)
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise SourceError(
            f"the source of {use_case.name} can't be checked: {reason}",
            "start the local profile with `fluvial up`, or name another server with --source",
        ) from error


def _facts(connection: Connection, use_case: UseCase) -> SourceFacts:
    wal_level, free_slots = _one(connection, _SERVER, [])
    role, may_replicate = _one(connection, _ROLE, [CAPTURE_ROLE, CAPTURE_ROLE])
    tables = read_source_tables(connection, use_case.source_database.schema_name, role)
    configured = {table.name for table in use_case.tables}
    return SourceFacts(
        wal_level=wal_level,
        free_slots=free_slots + _own_slots(connection, use_case),
        role=role,
        may_replicate=may_replicate,
        tables={name: table for name, table in tables.items() if name in configured},
        similar=tuple(sorted(tables.keys() - configured)),
    )


def read_source_tables(connection: Connection, schema: str, role: str) -> dict[str, SourceTable]:
    """Every table of a schema, with what `role` may do."""
    columns: defaultdict[str, dict[str, SourceColumn]] = defaultdict(dict)
    for table, name, *said in connection.execute(_COLUMNS, [schema]):
        columns[table][name] = SourceColumn(*said)
    rows = connection.execute(_TABLES, [role, role, schema]).fetchall()
    return {name: SourceTable(columns[name], _IDENTITIES[identity], *said) for name, identity, *said in rows}


def _own_slots(connection: Connection, use_case: UseCase) -> int:
    """1 where the use case already has its slot and needs no other."""
    count = "select count(*) from pg_replication_slots where slot_name = %s"
    return int(_one(connection, count, [slot_name(use_case)])[0])


def _one(connection: Connection, sql: str, parameters: list[str]) -> tuple[Any, ...]:
    row = connection.execute(sql.encode(), parameters).fetchone()
    if row is None:
        raise SourceError("PostgreSQL knows neither the capturing role nor the current one", "connect as another role")
    return tuple(row)
