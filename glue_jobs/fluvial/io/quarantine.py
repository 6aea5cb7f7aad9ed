"""The quarantine as DuckDB sees it: what waits there and why, and what a replay has already put into the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from fluvial import columns as c
from fluvial.config.model import Table, UseCase
from fluvial.io.query import open_lake, run_query
from fluvial.sql_text import literal, quote

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
      AND good._operation IN (gap._operation, 'DELETE')
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
  (e._sequence, e._topic, e._partition, e._offset) = (r.sequence, r.topic, r.partition, r."offset")
  AND r.operation IN (e._operation, 'DELETE')
WHERE {condition} ORDER BY e._sequence, {key} {limit}
"""


def summarize_quarantine(use_case: UseCase, lake: Path, tables: Sequence[Table]) -> pa.Table:
    """For each table and rule: events that failed it, how many of them were replayed, how many still wait."""
    selects = (_SUMMARY.format(name=literal(table.name), events=_events_sql(table)) for table in tables)
    sql = f"SELECT * FROM ({' UNION ALL '.join(selects)}) ORDER BY ALL"  # noqa: S608 - parts are quoted
    return run_query(open_lake(use_case, lake, sql), sql)


@dataclass(frozen=True)
class Shown:
    """Which events to show: those that failed a rule, those that still wait, and how many at most."""

    rule: str | None = None
    is_waiting: bool = False
    most: int | None = None


def read_quarantine(
    use_case: UseCase, lake: Path, table: Table, shown: Shown = Shown()
) -> tuple[list[dict[str, Any]], bool]:
    """Quarantined events in order of sequence, and whether there are more."""
    by_rule = f"list_contains(e.{c.FAILED_RULES}, {literal(shown.rule)})" if shown.rule else "true"
    condition = f"{by_rule} AND NOT e.{IS_REPLAYED}" if shown.is_waiting else by_rule
    key = ", ".join(f"e.{quote(name)}" for name in table.primary_key)
    names = {"name": literal(table.name), "events": _events_sql(table), "key": key}
    limit = "" if shown.most is None else f"LIMIT {shown.most + 1}"
    sql = _SHOWN.format(**names, condition=condition, limit=limit)
    rows: list[dict[str, Any]] = run_query(open_lake(use_case, lake, sql), sql).to_pylist()
    return rows[: shown.most], shown.most is not None and len(rows) > shown.most


def _events_sql(table: Table) -> str:
    # An event that a filter takes out comes back as a DELETE.
    identity = (*table.primary_key, c.SEQUENCE, c.PAYLOAD_HASH)
    place = (*table.primary_key, *c.PLACE)
    return _EVENTS.format(
        log=quote(f"{table.name}__log_all"),
        quarantine=quote(f"{table.name}__quarantine"),
        identity=", ".join(map(quote, identity)),
        same_place=" AND ".join(f"gap.{quote(name)} = q.{quote(name)}" for name in place),
    )
