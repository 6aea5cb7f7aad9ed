"""The texts of `settle_query`: DuckDB statements with places for a table's columns and a range's bounds.

Relations: FRESH, the rows of the range; LOG_ROWS, the rows of the log that may matter; VERSIONS, those of the
history, each with its FILE. Rows that don't matter may be among them. Working columns begin with two underscores: no
column of a table may begin with one.
"""

from typing import Final

from fluvial import columns as c
from fluvial.history.epoch import FIRST_EPOCH_START
from fluvial.streams import ACTION, FILE

FRESH: Final = "fresh_rows"
LOG_ROWS: Final = "near_log_rows"
VERSIONS: Final = "near_versions"
TOUCHED: Final = "touched_keys"
CHANGES: Final = "changes"
ROW: Final = "__row"
"""Of LOG_ROWS: a number of its own for each row."""
FIRST: Final = "__first"
"""Of TOUCHED: the lowest sequence from which the key's versions may change."""

_START: Final = FIRST_EPOCH_START[4:]
_IS_KEYLESS: Final = f"{c.OPERATION} IN ('{c.TRUNCATE}', '{c.SNAPSHOT}')"
_IS_OF_SNAPSHOT: Final = f"substr({c.SEQUENCE}, 5, 3) = '.0.'"
_REACH: Final = f"CASE WHEN {_IS_OF_SNAPSHOT} THEN left({c.SEQUENCE}, 4) || '{_START}' ELSE {c.SEQUENCE} END"
_IS_CLOSER: Final = f"{c.OPERATION} IN ('{c.DELETE}', '{c.TRUNCATE}', '{c.SNAPSHOT}')"
_IS_OPEN_AT_FIRST: Final = f"(v.{c.END_SEQUENCE} IS NULL OR v.{c.END_SEQUENCE} >= t.{FIRST})"

KEYS_OF_RANGE: Final = f"""
SELECT {{key}}, min({_REACH}) AS {FIRST}, NULL::TIMESTAMPTZ AS __floor FROM {FRESH} WHERE NOT {_IS_KEYLESS} GROUP BY ALL
"""
KEYS_OF_ALL: Final = f"""
SELECT {{key}},
  least(min({FIRST}), (SELECT min({_REACH}) FROM {FRESH} WHERE {_IS_KEYLESS})) AS {FIRST}, NULL::TIMESTAMPTZ AS __floor
FROM (
  {KEYS_OF_RANGE} UNION ALL
  SELECT DISTINCT {{key}}, NULL, NULL FROM {VERSIONS}
  WHERE {{is_near}} AND (
    {c.SEQUENCE} < {{sequence}} OR ({c.SEQUENCE} = {{sequence}} AND NOT {_IS_OF_SNAPSHOT})
    OR epoch_us({c.EFFECTIVE_FROM}) < {{micros}}
  )
) GROUP BY {{key}}
"""
KEYS_OF_RUNS: Final = f"""
SELECT {{key}}, min({FIRST}) AS {FIRST}, min(__floor) AS __floor FROM (
  SELECT {{key}}, {FIRST}, __floor FROM keys UNION ALL
  SELECT {{v_key}}, v.{c.SEQUENCE}, v.{c.EFFECTIVE_FROM} FROM {VERSIONS} v JOIN keys t USING ({{key}})
  WHERE {{is_near}} AND v.{c.SEQUENCE} < t.{FIRST} AND {_IS_OPEN_AT_FIRST}
) GROUP BY {{key}}
"""

# The windows order a number for each key, and carry the values only where one event's depend on another's.
CHANGES_QUERY: Final = f"""
WITH existing AS (
  SELECT v.*, t.__key, t.{FIRST}, t.__floor FROM {VERSIONS} v JOIN {TOUCHED} t USING ({{key}}) WHERE {_IS_OPEN_AT_FIRST}
),
log AS (
  SELECT * FROM {LOG_ROWS}
  WHERE {c.SEQUENCE} >= {{min_sequence}} OR epoch_us({c.COMMIT_TIME}) > {{min_commit_micros}}
),
events AS (
  SELECT __key, {ROW}, {c.SEQUENCE}, {c.OPERATION}, {c.COMMIT_TIME}, {c.IS_QUARANTINED}, {c.PAYLOAD_HASH},
    {c.INGESTED_AT}, NULL::VARCHAR AS {c.UNCERTAIN_SINCE}, false AS __is_base, {c.SEQUENCE} < {FIRST} AS __is_earlier,
    __floor {{of_event}}
  FROM log JOIN {TOUCHED} USING ({{key}}) WHERE NOT {_IS_KEYLESS}
  {{keyless}}
  UNION ALL
  SELECT __key, NULL, {c.SEQUENCE}, {c.OPERATION}, {c.EFFECTIVE_FROM}, false, 0, {c.INGESTED_AT},
    CASE WHEN {c.UNCERTAIN_SINCE} < {FIRST} THEN {c.UNCERTAIN_SINCE} END, true, false, __floor {{of_base}}
  FROM existing WHERE {c.SEQUENCE} < {FIRST}
),
placed AS (
  SELECT *, {_IS_CLOSER} AS __is_closer, lead({c.SEQUENCE}) OVER in_order AS __after,
    max({c.COMMIT_TIME}) OVER (in_order ROWS UNBOUNDED PRECEDING) AS __running
  FROM events
  WINDOW in_order AS (
    PARTITION BY __key
    ORDER BY {c.SEQUENCE}, __is_base, {c.OPERATION} = '{c.SNAPSHOT}' DESC, {c.IS_QUARANTINED} DESC, {_IS_CLOSER},
      {c.PAYLOAD_HASH} NULLS FIRST, {c.OPERATION}
  )
),
winners AS (
  SELECT * EXCLUDE (__after, __running, __is_earlier, __floor),
    NOT {c.IS_QUARANTINED} AND NOT __is_closer AS __is_upsert,
    __is_base AND {c.UNCERTAIN_SINCE} IS NOT NULL AS __ends_life,
    CASE WHEN __is_base THEN {c.COMMIT_TIME} ELSE greatest(__running, __floor) END AS __effective
  FROM placed WHERE __after IS DISTINCT FROM {c.SEQUENCE} AND NOT __is_earlier
),
{{resolved}}
runs AS (
  SELECT *, __is_upsert AND NOT {{repeats}} AS __opens FROM {{upserts}}
  WINDOW in_order AS (PARTITION BY __key ORDER BY {c.SEQUENCE})
),
{{newest}}
bounded AS (
  SELECT *,
    first_value(CASE WHEN __bounds THEN __boundary END IGNORE NULLS) OVER behind AS __end,
    first_value(CASE WHEN __bounds OR {c.IS_QUARANTINED} THEN __boundary END IGNORE NULLS) OVER behind AS __next
  FROM (
    SELECT *, __opens OR __is_closer AS __bounds,
      struct_pack(s := {c.SEQUENCE}, e := __effective, o := {c.OPERATION}, q := {c.IS_QUARANTINED}) AS __boundary
    FROM {{shown}}
  ) WINDOW behind AS (PARTITION BY __key ORDER BY {c.SEQUENCE} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
ended AS MATERIALIZED (
  SELECT *, CASE WHEN __next.q THEN __next.s END AS __gap FROM bounded WHERE __opens
),
derived AS (
  SELECT {{t_key}}, o.__key, o.{c.SEQUENCE}, o.{c.OPERATION}, o.__effective AS {c.EFFECTIVE_FROM},
    o.__end.e AS {c.EFFECTIVE_TO}, o.__end.s AS {c.END_SEQUENCE},
    least(
      coalesce(CASE WHEN o.__is_base THEN o.{c.UNCERTAIN_SINCE} END, o.__gap),
      CASE WHEN o.__end.o = '{c.SNAPSHOT}' THEN greatest(o.{c.SEQUENCE}, left(o.__end.s, 4) || '{_START}') END
    ) AS {c.UNCERTAIN_SINCE},
    o.{c.INGESTED_AT}, {{values}}
  FROM ended o JOIN {TOUCHED} t USING (__key) {{looked_up}}
)
SELECT {{told}}, e.{FILE} AS {FILE},
  CASE WHEN e.{c.SEQUENCE} IS NULL THEN 'INSERT' WHEN d.{c.SEQUENCE} IS NULL THEN 'DELETE' ELSE 'UPDATE' END AS {ACTION}
FROM derived d FULL JOIN existing e ON d.__key = e.__key AND d.{c.SEQUENCE} = e.{c.SEQUENCE}
WHERE e.{c.SEQUENCE} IS NULL OR d.{c.SEQUENCE} IS NULL OR {{differs}}
"""
LOOKED_UP: Final = f"""
LEFT JOIN {LOG_ROWS} l ON l.{ROW} = o.{ROW}
LEFT JOIN existing b ON o.__is_base AND b.__key = o.__key AND b.{c.SEQUENCE} = o.{c.SEQUENCE}
"""
EACH_TOUCHED: Final = f"""
  UNION ALL
  SELECT t.__key, NULL, l.{c.SEQUENCE}, l.{c.OPERATION}, l.{c.COMMIT_TIME}, l.{c.IS_QUARANTINED}, l.{c.PAYLOAD_HASH},
    l.{c.INGESTED_AT}, NULL, false, l.{c.SEQUENCE} < t.{FIRST}, t.__floor {{of_event}}
  FROM log l CROSS JOIN {TOUCHED} t WHERE {_IS_KEYLESS}
"""

RESOLVED: Final = f"""
lives AS (
  SELECT *, coalesce(sum((NOT __is_upsert)::INT) OVER (in_order ROWS UNBOUNDED PRECEDING), 0)
    + coalesce(sum(__ends_life::INT) OVER (in_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS __life
  FROM winners WINDOW in_order AS (PARTITION BY __key ORDER BY {c.SEQUENCE})
),
stated AS (
  SELECT *, {{stated}} FROM lives
  WINDOW so_far AS (PARTITION BY __key, __life ORDER BY {c.SEQUENCE} ROWS UNBOUNDED PRECEDING)
),
resolved AS (
  SELECT * REPLACE ({{values}}, CASE WHEN __is_upsert THEN {{unresolved}} END AS {c.UNRESOLVED}) FROM stated
),
"""

NEWEST: Final = f"""
stretches AS (
  SELECT *, sum((__opens OR __is_closer)::INT) OVER (
    PARTITION BY __key ORDER BY {c.SEQUENCE} ROWS UNBOUNDED PRECEDING
  ) AS __stretch FROM runs
),
newest AS (
  SELECT * REPLACE ({{newest}}) FROM (
    SELECT *, last_value(CASE WHEN __is_upsert THEN struct_pack({{packed}}) END IGNORE NULLS) OVER (
      PARTITION BY __key, __stretch ORDER BY {c.SEQUENCE} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS __newest FROM stretches
  )
),
"""

REWRITTEN_QUERY: Final = f"""
WITH old AS (SELECT * FROM {VERSIONS} WHERE {FILE} IN (SELECT {FILE} FROM {CHANGES})),
named AS (SELECT * FROM {CHANGES} WHERE {ACTION} <> 'INSERT')
SELECT {{kept}} FROM old o LEFT JOIN named n ON {{same}} WHERE n.{ACTION} IS NULL OR n.{ACTION} = 'UPDATE'
UNION ALL
SELECT {{inserted}} FROM {CHANGES} n WHERE {ACTION} = 'INSERT'
ORDER BY {c.END_SEQUENCE} NULLS FIRST, {c.SEQUENCE}
"""
