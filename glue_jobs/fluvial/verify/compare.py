"""Queries that find where a history and its re-derivation differ, and where a table breaks an invariant."""

from collections.abc import Iterator
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.verify.rederive import HISTORY_COLUMNS

WHOLE_ROW: Final = "*"
"""What stands for the column where a version is missing, or is there for no reason."""


def differences_sql(table: Table, derived: str, history: str) -> str:
    """(key, sequence, column, expected, found) as text, one row for each column that differs."""
    shown = [*table.lake.value_columns, *(name for name in HISTORY_COLUMNS if name != c.SEQUENCE)]
    same = " AND ".join(f'd."{name}" = h."{name}"' for name in (*table.primary_key, c.SEQUENCE))
    cells = ", ".join(_cell(name) for name in shown)
    return f"""
    WITH joined AS (
      SELECT coalesce(d._sequence, h._sequence) AS sequence, {_key_text(table)} AS key,
        CASE WHEN h._sequence IS NULL THEN [{_whole("'a version'", "NULL")}]
             WHEN d._sequence IS NULL THEN [{_whole("NULL", "'a version'")}]
             ELSE list_filter([{cells}], lambda cell: cell IS NOT NULL) END AS cells
      FROM {derived} d FULL JOIN {history} h ON {same}
    ), listed AS (SELECT key, sequence, unnest(cells) AS cell FROM joined WHERE len(cells) > 0)
    SELECT key, sequence, cell.name, cell.expected, cell.found FROM listed ORDER BY key, sequence, cell.name
    """


def invariants_sql(table: Table, log: str, history: str) -> str:
    """(key, sequence, column, expected, found) for each broken invariant: H2, and every event logged once."""
    return " UNION ALL ".join((*_version_invariants(table, history), _logged_once(table, log)))


def accounting_sql(batches: str) -> str:
    """(batch, consumed, placed) of each batch of table $1 that doesn't balance."""
    placed = "log_rows + quarantined + dead_letters + control_messages + tombstones + duplicates"
    return f"""
    SELECT query_id || ' batch ' || batch_id, consumed, {placed} FROM {batches}
    WHERE "table" = $1 AND consumed <> {placed} ORDER BY 1
    """


def conflicts_sql(table: Table, log: str) -> str:
    """How many valid events lost their position to another one with a different payload, a delete to none included."""
    place = ", ".join(f'"{name}"' for name in (*table.primary_key, c.SEQUENCE))
    valid = f"NOT {c.IS_QUARANTINED} AND {c.OPERATION} NOT IN {c.KEYLESS}"
    payload = f"({c.OPERATION} = '{c.DELETE}', {c.PAYLOAD_HASH})"  # a delete may carry the row that it takes away
    claims = f"SELECT count(DISTINCT {payload}) - 1 AS losers FROM {log} WHERE {valid} GROUP BY {place}"
    return f"SELECT coalesce(sum(losers), 0) FROM ({claims})"


def _cell(name: str) -> str:
    expected, found = f'd."{name}"', f'h."{name}"'
    if name == c.UNRESOLVED:
        expected, found = (f"list_sort(coalesce({side}, []))" for side in (expected, found))
    differs = f"{expected} IS DISTINCT FROM {found}"
    return f"CASE WHEN {differs} THEN {_struct(name, f'{expected}::VARCHAR', f'{found}::VARCHAR')} END"


def _whole(expected: str, found: str) -> str:
    return _struct(WHOLE_ROW, f"{expected}::VARCHAR", f"{found}::VARCHAR")


def _struct(name: str, expected: str, found: str) -> str:
    return f"struct_pack(name := '{name}', expected := {expected}, found := {found})"


def _key_text(table: Table) -> str:
    parts = (f"""'{name}=' || coalesce(d."{name}", h."{name}")::VARCHAR""" for name in table.primary_key)
    return " || ', ' || ".join(parts)


def _version_invariants(table: Table, history: str) -> Iterator[str]:
    key = ", ".join(f'"{name}"' for name in table.primary_key)
    text = " || ', ' || ".join(f"""'{name}=' || "{name}"::VARCHAR""" for name in table.primary_key)
    yield f"""
    SELECT {text}, max(_sequence), '{c.IS_CURRENT}', 'one open version', count(*)::VARCHAR FROM {history}
    WHERE _is_current GROUP BY {key} HAVING count(*) > 1"""
    yield f"""
    SELECT {text}, _sequence, '{c.SEQUENCE}', 'one version', count(*)::VARCHAR FROM {history}
    GROUP BY {key}, _sequence HAVING count(*) > 1"""
    yield f"""
    SELECT {text}, _sequence, '{c.EFFECTIVE_TO}', 'not after ' || __following::VARCHAR, _effective_to::VARCHAR
    FROM (SELECT *, lead(_effective_from) OVER (PARTITION BY {key} ORDER BY _sequence) AS __following FROM {history})
    WHERE __following < coalesce(_effective_to, 'infinity') OR _effective_to < _effective_from"""


def _logged_once(table: Table, log: str) -> str:
    key = ", ".join(f'"{name}"' for name in table.primary_key)
    text = " || ', ' || ".join(f"""coalesce('{name}=' || "{name}"::VARCHAR, '')""" for name in table.primary_key)
    identity = f"{key}, {c.SEQUENCE}, {c.OPERATION}, {c.PAYLOAD_HASH}, {c.IS_QUARANTINED}"
    return f"""
    SELECT {text}, _sequence, '{c.OFFSET}', 'logged once', count(*)::VARCHAR FROM {log}
    GROUP BY {identity} HAVING count(*) > 1"""
