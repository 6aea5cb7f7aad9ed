"""Reads the shape of a database's tables, and counts over a bounded sample of their rows; changes nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import psycopg
from psycopg import sql

from fluvial.errors import SourceError
from fluvial.scaffold.profile import PATTERNS, ColumnProfile, TableProfile
from fluvial.verify.source_facts import COLUMN_TYPE

Connection = psycopg.Connection[Any]

_SECONDS: Final = 10
_SAMPLE: Final = 10_000
_LONGEST: Final = 200
"""Characters of a text that a pattern is held against."""
_NUMBERS: Final = ("smallint", "integer", "bigint", "real", "double precision", "numeric")
_TEXTS: Final = ("text", "character", "citext")
_COLUMNS: Final = f"""
select class.relname::text, attribute.attname::text, {COLUMN_TYPE},
       attribute.attnotnull, coalesce(array_position(key.conkey, attribute.attnum), 0),
       array(select enumlabel::text from pg_enum where enumtypid = attribute.atttypid order by enumsortorder),
       attribute.attgenerated <> ''
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
join pg_type kind on kind.oid = attribute.atttypid
left join pg_constraint key on key.conrelid = class.oid and key.contype = 'p'
where namespace.nspname = %s and class.relkind in ('r', 'p') and not class.relispartition
order by class.relname, attribute.attnum
"""  # noqa: S608 - put together from constants


def profile_source(dsn: str, schema: str, wanted: Sequence[str] = ()) -> tuple[str, tuple[TableProfile, ...]]:
    """The database's name and its tables, all or the wanted ones; raises SourceError."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=_SECONDS) as connection:
            connection.execute("set default_transaction_read_only = on; set statement_timeout = '60s'")
            return connection.info.dbname, tuple(_profiles(connection, schema, wanted))
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise SourceError(
            f"the database can't be read: {reason}", "check the connection string and the role"
        ) from error


def _profiles(connection: Connection, schema: str, wanted: Sequence[str]) -> list[TableProfile]:
    tables: defaultdict[str, list[ColumnProfile]] = defaultdict(list)
    for table, name, kind, is_required, key, labels, is_generated in connection.execute(_COLUMNS, [schema]):
        tables[table].append(ColumnProfile(name, kind, is_required, key, tuple(labels), is_generated))
    if missing := sorted(set(wanted) - tables.keys()):
        raise SourceError(f"schema {schema} has no table {', '.join(missing)}", f"it has {', '.join(tables) or 'none'}")
    if not tables:
        raise SourceError(f"schema {schema} has no tables", "name another one with --schema")
    return [_sampled(connection, schema, name, tables[name]) for name in wanted or tables]


def _sampled(connection: Connection, schema: str, table: str, columns: Sequence[ColumnProfile]) -> TableProfile:
    counts = sql.SQL(", ").join([sql.SQL("count(*)"), *(part for column in columns for part in _counts(column))])
    query = sql.SQL("select {} from (select * from {} limit {}) sample").format(
        counts, sql.Identifier(schema, table), sql.Literal(_SAMPLE)
    )
    row = list(connection.execute(query).fetchone() or ())
    sampled, position, profiled = row[0], 1, []
    for column in columns:
        width = len(_counts(column))
        profiled.append(_with_counts(column, row[position : position + width]))
        position += width
    return TableProfile(table, tuple(profiled), sampled)


def _counts(column: ColumnProfile) -> list[sql.Composable]:
    name = sql.Identifier(column.name)
    counts: list[sql.Composable] = [sql.SQL("count({})").format(name)]
    if column.type.startswith(_NUMBERS) and not column.type.endswith("[]"):
        counts.append(sql.SQL("count(*) filter (where {} < 0)").format(name))
        counts.append(sql.SQL("count(*) filter (where {} > 100)").format(name))
    elif column.type.startswith(_TEXTS) and not column.type.endswith("[]"):
        text = sql.SQL("left({}::text, {})").format(name, sql.Literal(_LONGEST))
        counts.extend(
            sql.SQL("count(*) filter (where {} ~ {})").format(text, sql.Literal(pattern))
            for pattern in PATTERNS.values()
        )
    return counts


def _with_counts(column: ColumnProfile, counts: Sequence[int]) -> ColumnProfile:
    found: dict[str, Any] = {"present": counts[0]}
    if len(counts) == 1 + len(PATTERNS):
        found["matches"] = dict(zip(PATTERNS, counts[1:], strict=True))
    elif len(counts) > 1:
        found |= {"negative": counts[1], "above_hundred": counts[2]}
    return replace(column, **found)
