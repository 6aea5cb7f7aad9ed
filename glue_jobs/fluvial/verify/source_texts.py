"""How a source's column reads as text once it was captured: the capture writes some types otherwise than PostgreSQL.

Measured with Debezium 3.6 on PostgreSQL 17; types that aren't listed differ: times, intervals, points, floating
numbers, and lists of texts, in which Spark escapes what lies beyond the first 65,536 code points.
"""

import re
from collections.abc import Mapping
from typing import Final

from fluvial.config.deidentification import DropTransform
from fluvial.config.model import Column, Table
from fluvial.verify.source_facts import COLUMN_TYPE, SourceColumn
from fluvial.verify.source_values import quoted

_ALIKE: Final = re.compile(
    r"text|citext|character varying(\(\d+\))?|uuid|jsonb?|inet|cidr|macaddr|boolean|smallint|integer|bigint|"
    r"numeric\(\d+,[0-6]\)|int[48]range"
)
_PADDED: Final = re.compile(r"character\((\d+)\)")
_LIST: Final = re.compile(r"(uuid|boolean|smallint|integer|bigint)\[\]")
_LAST: Final = 2**31 - 1

SourceTypes = Mapping[str, SourceColumn]
"""A source's columns by name."""


def columns_sql(table: Table, schema: str) -> str:
    """For PostgreSQL: (name, type, whether it is an enumeration) of each column."""
    return (
        f"select attname::text, {COLUMN_TYPE}, (kind.typtype = 'e')::text "
        "from pg_attribute as attribute join pg_type as kind on kind.oid = atttypid "
        f'where attrelid = \'"{schema}"."{table.name}"\'::regclass and attnum > 0 and not attisdropped'
    )


def captured_sql(table: Table, schema: str, types: SourceTypes) -> str:
    """For PostgreSQL: the source table as a relation, its texts as they were captured."""
    columns = (f'{_captured(column, types) or quoted(column)} as "{column.name}"' for column in table.columns)
    return f'(select {", ".join(columns)} from "{schema}"."{table.name}") as captured'


def untold_columns(table: Table, types: SourceTypes) -> frozenset[str]:
    """Columns of the source that SQL can't say as they were captured."""
    return frozenset(column.name for column in table.columns if _captured(column, types) is None)


def told_table(table: Table, untold: frozenset[str]) -> Table:
    """The table as if what can't be told were dropped in the end."""
    names = [name for name, column in table.lake_shape.items() if column.sources & untold]
    dropped = (DropTransform(type="drop", column=name, order=_LAST) for name in names)
    return table.model_copy(update={"transforms": (*table.transforms, *dropped)})


def _captured(column: Column, types: SourceTypes) -> str | None:
    """The expression of a column, None where there is none."""
    found = types.get(column.name)
    if column.type != "string" or found is None or found.is_enum or _ALIKE.fullmatch(found.type):
        return quoted(column)
    if _LIST.fullmatch(found.type):
        return f"to_json({quoted(column)})::text"
    padded = _PADDED.fullmatch(found.type)
    # As text PostgreSQL strips the spaces that it stores, sends and counts.
    return f"rpad({quoted(column)}::text, {padded[1]})" if padded else None
