"""What must hold of a lake after any delivery: the invariants of the contract, against the oracle."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fluvial.config.locations import Locations
from fluvial.io.verify import verify_table
from tests.oracle.fold import Event, Version, fold
from tests.spark.lake_rows import Rows, broken_intervals, read_rows
from tests.spark.packs import USE_CASE, Stated, position_of
from tests.spark.records import COMMIT_MICROS

KEY: Final = ("seed", "id")
_METRICS: Final = (("completeness", "b"), ("size", None), ("rule_failures", "a_positive"))
_PLACED: Final = ("log_rows", "quarantined", "dead_letters", "control_messages", "tombstones", "duplicates")


def history_of(lake: Path, table: str, version: int | None = None) -> Rows:
    """All versions of a table."""
    return read_rows(Locations(USE_CASE, lake).table(USE_CASE.table(table)).history, version)


def check_table(lake: Path, table: str, delivered: Collection[Event]) -> None:
    """H1, H2 and H5: log, quarantine and history against the events that were delivered."""
    places = Locations(USE_CASE, lake).table(USE_CASE.table(table))
    log, history = read_rows(places.log), read_rows(places.history)
    logged, wanted = Counter(logged_event(table, row) for row in log), Counter(set(delivered))
    assert logged == wanted, f"log\n{differing(logged, wanted)}"
    hashes = {logged_event(table, row): row["_payload_hash"] for row in log}
    events = [event._replace(payload_hash=hashes[event]) for event in set(delivered)]
    expected, found = fold(events, USE_CASE.table(table).track_columns), versions_of(table, history)
    assert _texts(found) == _texts(expected), f"H1\n{differing(_texts(found), _texts(expected))}"
    assert broken_intervals(history, KEY) == [], "H2"
    held, gaps = read_rows(places.quarantine), [row for row in log if row["_is_quarantined"]]
    assert _places(held) == _places(gaps), "H5: quarantine"
    assert verify_table(USE_CASE, lake, USE_CASE.table(table)).is_same


def check_accounts(lake: Path, tables: Collection[str], records: int, batches: int) -> None:
    """H4 and H8: each record in one place, one account and one set of metrics for each table and batch."""
    rows = read_rows(Locations(USE_CASE, lake).batches)
    assert all(row["consumed"] == sum(row[name] for name in _PLACED) for row in rows), "H4"
    assert sum(row["consumed"] for row in rows) == records, "H4"
    wanted = [(table, batch) for table in tables for batch in range(batches)]
    assert Counter((row["table"], row["batch_id"]) for row in rows) == Counter(wanted), "H4"
    metrics = read_rows(Locations(USE_CASE, lake).dq_metrics)
    measured = Counter((row["table"], row["batch_id"], row["metric"], row["column"]) for row in metrics)
    assert measured == Counter((*place, *metric) for place in wanted for metric in _METRICS), "H8"


def check_dead_letters(lake: Path, count: int) -> None:
    """Each unreadable record once."""
    letters = read_rows(Locations(USE_CASE, lake).dead_letters)
    assert len({(row["topic"], row["offset"]) for row in letters}) == len(letters) == count


def _texts(rows: Collection[Version]) -> Counter[str]:
    return Counter(map(str, rows))


def _places(rows: Rows) -> Counter[tuple[Any, ...]]:
    return Counter((row["seed"], row["id"], row["_sequence"], row["_operation"]) for row in rows)


def logged_event(table: str, row: dict[str, Any]) -> Event:
    """A row of the log, its hash left out: the oracle's events don't know it yet."""
    names = row["_not_authored_columns"] or ()
    key = None if row["id"] is None else (row["seed"], row["id"])
    has_values = row["_operation"] not in {"DELETE", "TRUNCATE", "SNAPSHOT"} and not row["_is_quarantined"]
    values = {name: row[name] for name in ("a", "b") if name not in names} if has_values else {}
    position = position_of(table, row["_sequence"])
    return Event(
        key,
        position,
        row["_operation"],
        second(row["_commit_time"]),
        Stated(values),
        frozenset(names),
        0,
        row["_is_quarantined"],
        position.epoch_start if position and row["_operation"] == "SNAPSHOT" else None,
    )


def versions_of(table: str, history: Rows) -> list[Version]:
    return [
        Version(
            (row["seed"], row["id"]),
            position_of(table, row["_sequence"]),
            row["_operation"],
            {"a": row["a"], "b": row["b"]},
            second(row["_effective_from"]),
            second(row["_effective_to"]),
            position_of(table, row["_end_sequence"]),
            position_of(table, row["_uncertain_since"]),
            frozenset(row["_unresolved_columns"] or ()),
        )
        for row in history
    ]


def second(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) - COMMIT_MICROS // 1_000_000


def differing(found: Counter[Any], expected: Counter[Any]) -> str:
    """The first few rows of each side that the other lacks; their keys begin with the seed."""
    lines = [f"too much: {row}" for row in list(found - expected)[:5]]
    return "\n".join([*lines, *(f"missing: {row}" for row in list(expected - found)[:5])])
