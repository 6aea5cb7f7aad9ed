"""The history of a table as one SQL query over its log, for DuckDB; written from the contract alone."""

from collections.abc import Iterable
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table

HISTORY_COLUMNS: Final = (
    c.SEQUENCE,
    c.OPERATION,
    c.EFFECTIVE_FROM,
    c.EFFECTIVE_TO,
    c.IS_CURRENT,
    c.END_SEQUENCE,
    c.UNCERTAIN_SINCE,
    c.UNRESOLVED,
)
"""The system columns that the query derives: all of the history's but the processing time."""

# Each step below adds to the one before it. Working columns begin with two underscores, as no column of a table does.
_QUERY: Final = """
WITH keys AS (
  SELECT DISTINCT {key} FROM {log} WHERE _operation NOT IN ('TRUNCATE', 'SNAPSHOT')
),
told AS (
  SELECT {key}, {values_comma}
    _sequence, _operation, _commit_time, _is_quarantined, _not_authored_columns, _payload_hash
  FROM {log} WHERE _operation NOT IN ('TRUNCATE', 'SNAPSHOT')
  UNION ALL
  SELECT {keys_key}, {nulls_comma} _sequence, _operation, _commit_time, false, NULL, _payload_hash
  FROM {log} CROSS JOIN keys WHERE _operation IN ('TRUNCATE', 'SNAPSHOT')
),
ranked AS (
  SELECT *,
    max(_commit_time) OVER (PARTITION BY {key} ORDER BY _sequence) AS __moment,
    row_number() OVER (
      PARTITION BY {key}, _sequence
      ORDER BY _operation = 'SNAPSHOT', _operation = 'TRUNCATE' DESC, _is_quarantined, _operation = 'DELETE' DESC,
        _payload_hash DESC, _operation DESC
    ) AS __rank
  FROM told
),
winners AS (
  SELECT *,
    CASE WHEN _is_quarantined THEN 'gap' WHEN _operation IN ('DELETE', 'TRUNCATE', 'SNAPSHOT') THEN 'end'
      ELSE 'upsert' END AS __kind
  FROM ranked WHERE __rank = 1
),
lives AS (
  SELECT *,
    coalesce(sum((__kind <> 'upsert')::INT) OVER (
      PARTITION BY {key} ORDER BY _sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS __life
  FROM winners
),
stated AS (
  SELECT {key}, _sequence, _operation, __moment, __kind, __life, {stated}
  FROM lives
  WINDOW so_far AS (PARTITION BY {key}, __life ORDER BY _sequence ROWS UNBOUNDED PRECEDING)
),
resolved AS (
  SELECT {key}, _sequence, _operation, __moment, __kind, __life,
    struct_pack({resolved}) AS __row,
    list_filter([{unresolved}]::VARCHAR[], lambda name: name IS NOT NULL) AS __unresolved
  FROM stated
),
opened AS (
  SELECT *,
    __kind = 'upsert' AND NOT coalesce({continues}, false) AS __opens
  FROM resolved
  WINDOW before AS (PARTITION BY {key}, __life ORDER BY _sequence)
),
stretches AS (
  SELECT *,
    sum((__opens OR __kind = 'end')::INT) OVER (
      PARTITION BY {key} ORDER BY _sequence ROWS UNBOUNDED PRECEDING
    ) AS __stretch
  FROM opened
),
shown AS (
  SELECT {key}, _sequence, _operation, __moment, __kind, __opens, __stretch,
    last_value(CASE WHEN __kind = 'upsert' THEN struct_pack(r := __row, u := __unresolved) END IGNORE NULLS) OVER (
      PARTITION BY {key}, __stretch, __life ORDER BY _sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS __shown,
    min(CASE WHEN __kind = 'gap' THEN _sequence END) OVER (PARTITION BY {key}, __stretch) AS __gap
  FROM stretches
),
bounded AS (
  SELECT *, lead(_sequence) OVER following AS __end, lead(__moment) OVER following AS __until,
    lead(_operation) OVER following = 'SNAPSHOT' AS __is_inferred
  FROM shown WHERE __opens OR __kind = 'end'
  WINDOW following AS (PARTITION BY {key} ORDER BY _sequence)
)
SELECT {key}, {shown_comma}
  _sequence, _operation, __moment AS _effective_from, __until AS _effective_to, __end IS NULL AS _is_current,
  __end AS _end_sequence,
  CASE WHEN __is_inferred THEN least(__gap, greatest(_sequence, left(__end, 4) || '.0.0000000000000000'))
    ELSE __gap END AS _uncertain_since,
  __shown.u AS _unresolved_columns
FROM bounded WHERE __opens
"""


def rederivation_sql(table: Table, log: str) -> str:
    """A query that gives every version of `table` out of the relation `log`, processing time left out."""
    table = table.lake
    key = ", ".join(map(_quote, table.primary_key))
    values = tuple(map(_quote, table.value_columns))
    return _QUERY.format(
        log=log,
        key=key,
        keys_key=", ".join(f"keys.{_quote(name)}" for name in table.primary_key),
        values_comma=_each(f"{value}," for value in values),
        nulls_comma=_each("NULL," for _ in values),
        stated=", ".join(map(_stated, table.value_columns)) or "NULL",
        resolved=", ".join(
            (*(f"{_quote(f'v_{name}')} := {_last(name)}.v" for name in table.value_columns), "__z := 0")
        ),
        unresolved=", ".join(map(_unresolved, table.value_columns)),
        continues=_continues(table),
        shown_comma=_each(f"__shown.r.{_quote(f'v_{name}')} AS {_quote(name)}," for name in table.value_columns),
    )


def _quote(name: str) -> str:
    return f'"{name}"'


def _last(name: str) -> str:
    return _quote(f"__last_{name}")


def _each(parts: Iterable[str]) -> str:
    return " ".join(parts)


def _stated(name: str) -> str:
    """The newest value that an upsert of the same life states for a column, wrapped so that NULL counts as stated."""
    states = f"__kind = 'upsert' AND NOT list_contains(coalesce(_not_authored_columns, []), '{name}')"
    stated = f"CASE WHEN {states} THEN struct_pack(v := {_quote(name)}) END"
    return f"last_value({stated} IGNORE NULLS) OVER so_far AS {_last(name)}"


def _unresolved(name: str) -> str:
    return f"CASE WHEN {_last(name)} IS NULL THEN '{name}' END"


def _continues(table: Table) -> str:
    """Whether an upsert goes on with the version before it; NULL where its life holds none."""
    if not table.track_columns:
        return (
            "_operation = 'READ' AND lag(__row) OVER before IS NOT DISTINCT FROM __row "
            "AND lag(__unresolved) OVER before = __unresolved AND lag(__kind) OVER before = 'upsert'"
        )
    same = (
        f"(lag(__row) OVER before).{_quote(f'v_{name}')} IS NOT DISTINCT FROM __row.{_quote(f'v_{name}')}"
        if name not in table.primary_key
        else "true"
        for name in table.track_columns
    )
    return " AND ".join((*same, "lag(__kind) OVER before = 'upsert'"))
