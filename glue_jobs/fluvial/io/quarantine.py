"""The quarantine as DuckDB sees it: what waits there and why, and what a replay has already put into the log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from fluvial import columns as c
from fluvial.config.model import Table, UseCase
from fluvial.io.duckdb_types import literal, quote
from fluvial.io.query import open_lake, run_query

IS_REPLAYED: Final = "is_replayed"
_SUMMARY: Final = """
SELECT {name} AS "table", rule, count(*) AS events, count(*) FILTER (is_replayed) AS replayed,
  count(*) FILTER (NOT is_replayed) AS waiting, max(_commit_time) AS newest
FROM (SELECT unnest(_failed_rules) AS rule, is_replayed, _commit_time FROM ({events})) GROUP BY rule
"""
_EVENTS: Final = """
SELECT q.*, EXISTS (
    SELECT 1 FROM {log} gap JOIN {log} good USING ({identity})
    WHERE gap._is_quarantined AND NOT good._is_quarantined AND {same_place}
  ) AS is_replayed
FROM {quarantine} q
"""
_SHOWN: Final = """
WITH replays AS (
  SELECT sequence, operation, topic, "partition", "offset", arg_max(replayed_by, replayed_at) AS replayed_by,
    max(replayed_at) AS replayed_at
  FROM quarantine_replays WHERE "table" = {name} AND outcome = 'replayed' GROUP BY ALL
)
SELECT e.*, r.replayed_by, r.replayed_at FROM ({events}) e LEFT JOIN replays r ON
  (e._sequence, e._operation, e._topic, e._partition, e._offset)
    = (r.sequence, r.operation, r.topic, r.partition, r."offset")
WHERE {condition} ORDER BY e._sequence, {key} LIMIT {limit}
"""


def summarize_quarantine(use_case: UseCase, lake: Path, tables: Sequence[Table]) -> pa.Table:
    """For each table and rule: events that failed it, how many of them were replayed, how many still wait."""
    selects = (_SUMMARY.format(name=literal(table.name), events=_events_sql(table)) for table in tables)
    sql = f"SELECT * FROM ({' UNION ALL '.join(selects)}) ORDER BY ALL"  # noqa: S608 - parts are quoted
    return run_query(open_lake(use_case, lake, sql), sql)


def read_quarantine(
    use_case: UseCase, lake: Path, table: Table, rule: str | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """Up to `limit` quarantined events in order of sequence, those that failed `rule` if one is given."""
    condition = "true" if rule is None else f"list_contains(e.{c.FAILED_RULES}, {literal(rule)})"
    key = ", ".join(f"e.{quote(name)}" for name in table.primary_key)
    names = {"name": literal(table.name), "events": _events_sql(table), "key": key}
    sql = _SHOWN.format(**names, condition=condition, limit=limit)
    rows: list[dict[str, Any]] = run_query(open_lake(use_case, lake, sql), sql).to_pylist()
    return rows


def _events_sql(table: Table) -> str:
    identity = (*table.primary_key, c.SEQUENCE, c.OPERATION, c.PAYLOAD_HASH)
    place = (*table.primary_key, c.SEQUENCE, c.OPERATION, c.TOPIC, c.PARTITION, c.OFFSET)
    return _EVENTS.format(
        log=quote(f"{table.name}__log_all"),
        quarantine=quote(f"{table.name}__quarantine"),
        identity=", ".join(map(quote, identity)),
        same_place=" AND ".join(f"gap.{quote(name)} = q.{quote(name)}" for name in place),
    )
