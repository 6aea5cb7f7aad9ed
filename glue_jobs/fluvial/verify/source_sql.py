"""Queries that compare a source table, as of a position in its log, with the versions its history had there.

A change takes its position when it is made, and is seen when its transaction commits. So a snapshot at position `high`
may lack changes between `low` and `high`: those of transactions that were still running. A key is the same if its row
equals any state it had in that window, which is a moment long.
"""

from collections.abc import Sequence

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.config.types import postgres_type
from fluvial.verify.source_values import (
    compared_columns,
    duckdb_bucket,
    duckdb_row_hash,
    postgres_bucket,
    postgres_row_hash,
    transformed,
)


def source_digest_sql(table: Table, captured: str) -> str:
    """For PostgreSQL: (range, rows, sum of row hashes), text throughout, of the relation `captured`."""
    return (
        f"select {postgres_bucket(table)}, count(*)::text, sum({postgres_row_hash(table)})::text "
        f"from {captured} group by 1"
    )


def source_rows_sql(table: Table, captured: str, buckets: tuple[str, ...]) -> str:
    """For PostgreSQL: the rows of some ranges of the relation `captured`, raw, each column as text."""
    columns = ", ".join(_raw_text(column.name, column.type) for column in table.columns)
    ranges = ", ".join(f"'{bucket}'" for bucket in buckets)
    return f"select {columns} from {captured} where {postgres_bucket(table)} in ({ranges})"


def typed_rows_sql(table: Table, raw: str) -> str:
    """For DuckDB: raw text rows as typed values after their transforms."""
    typed = {column.name: _typed(column.name, column.type, postgres_type(column.type)) for column in table.columns}
    columns = (f'{value} AS "{name}"' for name, value in transformed(table, typed).items())
    return f"SELECT {', '.join(columns)} FROM {raw}"


def states_sql(table: Table, history: str) -> str:
    """For DuckDB: versions with the positions $epoch makes comparable: `__begins`, `__ends` (NULL while open)."""
    return f"""
    SELECT *, {duckdb_bucket(table)} AS __bucket,
      {_position(c.SEQUENCE)} AS __begins, {_position(c.END_SEQUENCE)} AS __ends
    FROM {history}
    """


def lake_digest_sql(table: Table, states: str) -> str:
    """For DuckDB: what `source_digest_sql` gives, of the versions that were open at $high."""
    return f"""
    SELECT __bucket, count(*)::VARCHAR, sum({duckdb_row_hash(table)})::VARCHAR FROM {states}
    WHERE __begins < $high AND coalesce(__ends >= $high, true) GROUP BY 1
    """


def quarantined_keys_sql(table: Table, log: str) -> str:
    """For DuckDB: keys whose last event before $high is in quarantine, so that no version shows what the source has."""
    key = _key(table)
    return f"""
    SELECT {key} FROM {log}
    WHERE _operation NOT IN ('TRUNCATE', 'SNAPSHOT') AND {_position(c.SEQUENCE)} < $high
    GROUP BY {key} HAVING arg_max(_is_quarantined, {{'s': _sequence, 'ok': NOT _is_quarantined}})
    """


def source_differences_sql(table: Table, rows: str, states: str, quarantined: str) -> str:
    """For DuckDB: (key, sequence, column, expected, found) where `rows` of the ranges $buckets differ from the lake."""
    key, on = _key(table), " AND ".join(f's."{name}" = v."{name}"' for name in table.primary_key)
    compared = compared_values(table)
    equal = " AND ".join(map(_same, compared)) or "true"
    return f"""
    WITH near AS (
      SELECT * FROM {states} ANTI JOIN {quarantined} USING ({key})
      WHERE __begins < $high AND coalesce(__ends >= $low, true) AND list_contains($buckets, __bucket)
    ),
    told AS (
      SELECT *, true AS __is_row FROM {rows} ANTI JOIN {quarantined} USING ({key})
    ),
    judged AS (
      SELECT v.*, s.__is_row, {", ".join(f's."{name}" AS "__s_{name}"' for name in compared) or "NULL"},
        {equal} AS __is_same, {_text_of_key(table, "v")} AS __key,
        v.__begins >= $low OR coalesce(v.__ends < $high, false) AS __is_moving
      FROM near v LEFT JOIN told s ON {on}
    ),
    wrong AS (
      SELECT * FROM judged
      QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _sequence DESC) = 1
        AND NOT coalesce(
          bool_or(CASE WHEN __is_row THEN __is_same ELSE __is_moving END) OVER (PARTITION BY {key}), false
        )
    )
    SELECT __key, _sequence, cell.name, cell.expected, cell.found FROM (
      SELECT __key, _sequence, unnest(CASE WHEN __is_row THEN list_filter([{_cells(compared)}], lambda x: x IS NOT NULL)
        ELSE [struct_pack(name := '*', expected := NULL::VARCHAR, found := 'a row')] END) AS cell
      FROM wrong)
    UNION ALL
    SELECT {_text_of_key(table, "s")}, '', '*', 'a row', NULL FROM told s ANTI JOIN near v ON {on}
    ORDER BY 1, 2, 3
    """


def compared_values(table: Table) -> tuple[str, ...]:
    """Columns outside the key that can be compared with the source."""
    return tuple(column.name for column in compared_columns(table) if column.name not in table.primary_key)


def _key(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in table.primary_key)


def _position(column: str) -> str:
    """A sequence's position in the newest epoch's stream; older epochs and snapshots come before every position."""
    is_streamed = f"substr({column}, 1, 4) = $epoch AND substr({column}, 6, 1) = '1'"
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_streamed} THEN substr({column}, 8) ELSE '' END"


def _raw_text(name: str, kind: str) -> str:
    return f"encode(\"{name}\", 'hex')" if kind == "binary" else f'"{name}"::text'


def _typed(name: str, kind: str, type_name: str) -> str:
    return f'unhex("{name}")' if kind == "binary" else f'try_cast("{name}" AS {type_name})'


def _same(name: str) -> str:
    return f'(s."{name}" IS NOT DISTINCT FROM v."{name}" OR {_is_unknown(name)})'


def _is_unknown(name: str) -> str:
    """Whether the version says itself that it doesn't know the column's value."""
    return f"list_contains(coalesce(_unresolved_columns, []), '{name}')"


def _cells(names: Sequence[str]) -> str:
    cells = (
        f'CASE WHEN "__s_{name}" IS DISTINCT FROM "{name}" AND NOT {_is_unknown(name)} THEN '
        f'struct_pack(name := \'{name}\', expected := "__s_{name}"::VARCHAR, found := "{name}"::VARCHAR) END'
        for name in names
    )
    return ", ".join(cells)


def _text_of_key(table: Table, alias: str) -> str:
    return " || ', ' || ".join(f"""'{name}=' || {alias}."{name}"::VARCHAR""" for name in table.primary_key)
