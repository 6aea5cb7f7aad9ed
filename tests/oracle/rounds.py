"""Logs that are settled round by round: the oracle's events and versions as rows, and the bounds of a round."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from fluvial.history.epoch import reach_of_text
from fluvial.history.range_bounds import Keyless, RangeBounds
from tests.oracle.fold import Event, Version
from tests.unit.verify.test_rederive import random_event, unique

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Versions = dict[tuple[Any, str], Version]


def moment(second: int | None) -> datetime | None:
    return None if second is None else START + timedelta(seconds=second)


def log_row(event: Event) -> tuple[Any, ...]:
    values = {} if event.is_quarantined else event.values
    return (
        *(event.key or (None, None)),
        values.get("a"),
        values.get("b"),
        event.sequence,
        event.operation,
        moment(event.commit_time),
        event.is_quarantined,
        sorted(event.not_authored) or None,
        event.payload_hash,
        START,
    )


def history_row(version: Version) -> tuple[Any, ...]:
    return (
        *version.key,
        version.values["a"],
        version.values["b"],
        version.sequence,
        version.operation,
        moment(version.effective_from),
        moment(version.effective_to),
        version.end_sequence is None,
        version.end_sequence,
        version.uncertain_since,
        sorted(version.unresolved) or None,
        START,
    )


def micros(second: int) -> int:
    return int((START + timedelta(seconds=second)).timestamp()) * 1_000_000


def keyless_of(events: list[Event]) -> Keyless | None:
    found = [event for event in events if event.key is None]
    latest = max((event.commit_time for event in found), default=0)
    return Keyless(max(event.sequence for event in found), micros(latest)) if found else None


def earliest_of(log: list[Event], new: list[Event]) -> int:
    """Of what is derived again: rows of a snapshot reach back over older ones of it."""
    starts = [start for event in new if (start := reach_of_text(event.sequence)) != event.sequence]
    again = [event for event in log if starts and event.sequence >= min(starts)]
    return min(event.commit_time for event in (*new, *again))


def bounds_of(log: list[Event], new: list[Event], *, touches_many: bool = False) -> RangeBounds:
    return RangeBounds(
        min(reach_of_text(event.sequence) for event in new),
        micros(earliest_of(log, new)),
        keyless_of(new),
        keyless_of(log),
        any(event.not_authored for event in log),
        touches_many=touches_many,
    )


def random_log(random: Random, keys: int, keyless: int) -> list[Event]:
    events = unique([random_event(random, key) for key in range(keys) for _ in range(random.randrange(1, 10))])
    return [event for event in events if event.key] + [event for event in events if not event.key][:keyless]
