"""`settle_versions` as DuckDB queries, for ranges that are settled on the driver: a few rows take Spark a second.

Two statements. The first one finds the touched keys, the second one what changes of them: as `settle.py` and
`versions.py` do it, which say why. Relations: FRESH, the rows of the range; LOG_ROWS, the rows of the log that may
matter; VERSIONS, those of the history, each with its FILE. Rows that don't matter may be among them.
"""

from collections.abc import Iterable
from typing import Final

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.epoch import FIRST_EPOCH_START
from fluvial.history.range_bounds import Keyless, RangeBounds
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

# Working columns begin with two underscores: no column of a table may begin with one.
_START: Final = FIRST_EPOCH_START[4:]
_IS_KEYLESS: Final = f"{c.OPERATION} IN ('{c.TRUNCATE}', '{c.SNAPSHOT}')"
_IS_OF_SNAPSHOT: Final = f"substr({c.SEQUENCE}, 5, 3) = '.0.'"
_REACH: Final = f"CASE WHEN {_IS_OF_SNAPSHOT} THEN left({c.SEQUENCE}, 4) || '{_START}' ELSE {c.SEQUENCE} END"
_IS_CLOSER: Final = f"{c.OPERATION} IN ('{c.DELETE}', '{c.TRUNCATE}', '{c.SNAPSHOT}')"
_IS_OPEN_AT_FIRST: Final = f"(v.{c.END_SEQUENCE} IS NULL OR v.{c.END_SEQUENCE} >= t.{FIRST})"

_OWN: Final = f"""
SELECT {{key}}, min({_REACH}) AS {FIRST}, NULL::TIMESTAMPTZ AS __floor FROM {FRESH} WHERE NOT {_IS_KEYLESS} GROUP BY ALL
"""
_OF_ALL: Final = f"""
SELECT {{key}},
  least(min({FIRST}), (SELECT min({_REACH}) FROM {FRESH} WHERE {_IS_KEYLESS})) AS {FIRST}, NULL::TIMESTAMPTZ AS __floor
FROM (
  {_OWN} UNION ALL
  SELECT DISTINCT {{key}}, NULL, NULL FROM {VERSIONS}
  WHERE {{is_near}} AND (
    {c.SEQUENCE} < {{sequence}} OR ({c.SEQUENCE} = {{sequence}} AND NOT {_IS_OF_SNAPSHOT})
    OR epoch_us({c.EFFECTIVE_FROM}) < {{micros}}
  )
) GROUP BY {{key}}
"""
_OF_RUNS: Final = f"""
SELECT {{key}}, min({FIRST}) AS {FIRST}, min(__floor) AS __floor FROM (
  SELECT {{key}}, {FIRST}, __floor FROM keys UNION ALL
  SELECT {{v_key}}, v.{c.SEQUENCE}, v.{c.EFFECTIVE_FROM} FROM {VERSIONS} v JOIN keys t USING ({{key}})
  WHERE {{is_near}} AND v.{c.SEQUENCE} < t.{FIRST} AND {_IS_OPEN_AT_FIRST}
) GROUP BY {{key}}
"""

# The windows order a number for each key, and carry the values only where one event's depend on another's.
_CHANGES: Final = f"""
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
_LOOKED_UP: Final = f"""
LEFT JOIN {LOG_ROWS} l ON l.{ROW} = o.{ROW}
LEFT JOIN existing b ON o.__is_base AND b.__key = o.__key AND b.{c.SEQUENCE} = o.{c.SEQUENCE}
"""
_EACH_TOUCHED: Final = f"""
  UNION ALL
  SELECT t.__key, NULL, l.{c.SEQUENCE}, l.{c.OPERATION}, l.{c.COMMIT_TIME}, l.{c.IS_QUARANTINED}, l.{c.PAYLOAD_HASH},
    l.{c.INGESTED_AT}, NULL, false, l.{c.SEQUENCE} < t.{FIRST}, t.__floor {{of_event}}
  FROM log l CROSS JOIN {TOUCHED} t WHERE {_IS_KEYLESS}
"""

_RESOLVED: Final = f"""
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

_NEWEST: Final = f"""
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

_REWRITTEN: Final = f"""
WITH old AS (SELECT * FROM {VERSIONS} WHERE {FILE} IN (SELECT {FILE} FROM {CHANGES})),
named AS (SELECT * FROM {CHANGES} WHERE {ACTION} <> 'INSERT')
SELECT {{kept}} FROM old o LEFT JOIN named n ON {{same}} WHERE n.{ACTION} IS NULL OR n.{ACTION} = 'UPDATE'
UNION ALL
SELECT {{inserted}} FROM {CHANGES} n WHERE {ACTION} = 'INSERT'
ORDER BY {c.END_SEQUENCE} NULLS FIRST, {c.SEQUENCE}
"""


def touched_sql(table: Table, bounds: RangeBounds) -> str:
    """The primary keys that a range touches, each with FIRST, from where on its versions may change, and a floor.

    With `track_columns` FIRST lies where a run of events begins, and the effective time has a floor.
    """
    key, is_near = _key(table), _reaches(bounds.min_sequence)
    keys = _OWN.format(key=key) if bounds.keyless is None else _of_all(key, is_near, bounds.keyless)
    keys = f"SELECT * FROM ({keys}) WHERE {FIRST} IS NOT NULL"
    if table.track_columns:
        v_key = _list(f"v.{_quote(name)}" for name in table.primary_key)
        runs = _OF_RUNS.format(key=key, v_key=v_key, is_near=_reaches(bounds.min_sequence, "v."))
        keys = f"WITH keys AS ({keys}) {runs}"
    return f"SELECT *, row_number() OVER () AS __key FROM ({keys})"


def changes_sql(table: Table, bounds: RangeBounds, *, may_repeat: bool) -> str:
    """What changes of the touched keys: rows of the history with ACTION, and the FILE of what one replaces.

    `may_repeat` is false where no snapshot's row is among the events: without `track_columns` only that can.
    """
    tracks, inherits = bool(table.track_columns), bounds.log_has_partial and bool(table.value_columns)
    compares = may_repeat or tracks
    carries = compares or inherits
    return _CHANGES.format(
        key=_key(table),
        t_key=_list(f"t.{_quote(name)}" for name in table.primary_key),
        min_sequence=_text(bounds.min_sequence),
        min_commit_micros=bounds.min_commit_micros,
        **(_carried(table) if carries else _NOT_CARRIED | {"values": _values(table)}),
        keyless=_EACH_TOUCHED.format(of_event=_of_keyless(table) if carries else "") if bounds.has_near_keyless else "",
        resolved=_resolved(table) if inherits else "",
        upserts="resolved" if inherits else "winners",
        repeats=_repeats(table) if compares else "false",
        newest=_newest(table) if tracks else "",
        shown="newest" if tracks else "runs",
        told=_list(map(_told, history_names(table))),
        differs=" OR ".join(f"d.{name} IS DISTINCT FROM e.{name}" for name in map(_quote, _compared(table))),
    )


def rewritten_sql(table: Table, names: Iterable[str]) -> str:
    """What goes into the new files of a history with such columns: in order, versions that are open first.

    The rows of the old files as they are, or as CHANGES say; what these don't tell stays. And what is inserted.
    """
    told, names = {name.lower() for name in history_names(table)}, list(names)
    known = {name: name.lower() in told for name in names}
    return _REWRITTEN.format(
        kept=_list(_shown(name) if is_told else f"o.{_quote(name)}" for name, is_told in known.items()),
        inserted=_list(f"n.{_quote(name)}" if is_told else "NULL" for name, is_told in known.items()),
        same=_same(table, "o", "n"),
    )


def history_names(table: Table) -> tuple[str, ...]:
    """The columns that a change tells: whether a version is current follows from its end."""
    times = (c.EFFECTIVE_FROM, c.EFFECTIVE_TO, c.END_SEQUENCE)
    return (*table.column_names, c.SEQUENCE, c.OPERATION, *times, c.UNCERTAIN_SINCE, c.UNRESOLVED, c.INGESTED_AT)


def _compared(table: Table) -> list[str]:
    identity = (*table.primary_key, c.SEQUENCE, c.INGESTED_AT)
    return [name for name in history_names(table) if name not in identity]


def _of_all(key: str, is_near: str, keyless: Keyless) -> str:
    return _OF_ALL.format(key=key, is_near=is_near, sequence=_text(keyless.sequence), micros=keyless.commit_micros)


def _reaches(sequence: str, of: str = "") -> str:
    return f"({of}{c.END_SEQUENCE} IS NULL OR {of}{c.END_SEQUENCE} >= {_text(sequence)})"


_NOT_CARRIED: Final = {"of_event": "", "of_base": "", "looked_up": _LOOKED_UP}


def _carried(table: Table) -> dict[str, str]:
    """Parts of the query where each event carries its values, and what is known of them, from the beginning."""
    names = _each(map(_quote, table.value_columns))
    values = (*table.value_columns, c.UNRESOLVED)
    return {
        "of_event": f"{names}, {c.NOT_AUTHORED}, NULL::VARCHAR[] AS {c.UNRESOLVED}",
        "of_base": f"{names}, NULL, {c.UNRESOLVED}",
        "looked_up": "",
        "values": _list(f"o.{_quote(name)}" for name in values),
    }


def _of_keyless(table: Table) -> str:
    return f"{_each('NULL' for _ in table.value_columns)}, NULL, NULL"


def _values(table: Table) -> str:
    """Of the row that opened the version, looked up in the end."""
    names = map(_quote, table.value_columns)
    values = (f"CASE WHEN o.__is_base THEN b.{name} ELSE l.{name} END AS {name}" for name in names)
    return _list((*values, f"b.{c.UNRESOLVED}"))


def _resolved(table: Table) -> str:
    """Columns that an event doesn't author take the last authored value of the same life."""
    names = table.value_columns
    return _RESOLVED.format(
        stated=_list(map(_stated, names)),
        values=_list(f"{_last(name)}.v AS {_quote(name)}" for name in names),
        unresolved=_unresolved(names),
    )


def _stated(name: str) -> str:
    was_unresolved = f"coalesce(list_contains({c.UNRESOLVED}, {_text(name)}), false)"
    authors = f"__is_upsert AND NOT coalesce(list_contains({c.NOT_AUTHORED}, {_text(name)}), false)"
    stated = f"CASE WHEN {authors} THEN struct_pack(v := {_quote(name)}, u := {was_unresolved}) END"
    return f"last_value({stated} IGNORE NULLS) OVER so_far AS {_last(name)}"


def _unresolved(names: Iterable[str]) -> str:
    """NULL where every one is known."""
    listed = _list(f"CASE WHEN coalesce({_last(name)}.u, true) THEN {_text(name)} END" for name in names)
    found = f"list_filter([{listed}]::VARCHAR[], lambda name: name IS NOT NULL)"
    return f"CASE WHEN len({found}) > 0 THEN {found} END"


def _repeats(table: Table) -> str:
    """Whether an upsert shows what the upsert right before it does."""
    shown = f"row({_list(map(_quote, table.track_columns or (*table.value_columns, c.UNRESOLVED)))})"
    before = f"lag(CASE WHEN __is_upsert AND NOT __ends_life THEN {shown} END) OVER in_order"
    may = "true" if table.track_columns else f"{c.OPERATION} = '{c.READ}'"
    return f"({may} AND {before} IS NOT DISTINCT FROM {shown})"


def _newest(table: Table) -> str:
    """Of an opener the newest values that the upserts of its run show in untracked columns."""
    names = [name for name in table.value_columns if name not in table.track_columns]
    shown = [*names, c.UNRESOLVED]
    fields = {name: f"f{number}" for number, name in enumerate(shown)}
    return _NEWEST.format(
        packed=_list(f"{field} := {_quote(name)}" for name, field in fields.items()),
        newest=_list(f"__newest.{field} AS {_quote(name)}" for name, field in fields.items()),
    )


def _told(name: str) -> str:
    quoted = _quote(name)
    return f"CASE WHEN d.{c.SEQUENCE} IS NULL THEN e.{quoted} ELSE d.{quoted} END AS {quoted}"


def _shown(name: str) -> str:
    quoted = _quote(name)
    return f"CASE WHEN n.{ACTION} IS NULL THEN o.{quoted} ELSE n.{quoted} END AS {quoted}"


def _same(table: Table, one: str, other: str) -> str:
    """The same version."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in map(_quote, (*table.primary_key, c.SEQUENCE)))


def _key(table: Table) -> str:
    return _list(map(_quote, table.primary_key))


def _last(name: str) -> str:
    return _quote(f"__last_{name}")


def _each(parts: Iterable[str]) -> str:
    """Behind other columns."""
    return "".join(f", {part}" for part in parts)


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
