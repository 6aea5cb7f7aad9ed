"""Many simulated lives packed into one stream: each seed has keys of its own, so that one run tries them all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, NamedTuple

from fluvial.config.model import UseCase
from tests.oracle.fold import Event
from tests.simulation.delivery import CONTROL, EVENT, GARBAGE, TOMBSTONE, Record, deliver
from tests.simulation.source import ABSENT, AUTHORED, UNCHANGED, Change, Source
from tests.spark.records import COMMIT_MICROS, TINY, debezium

SEEDS: Final = 80
"""In each pack."""
TRANSACTIONS: Final = 95
"""In each life."""
TOAST: Final = "__debezium_unavailable_value"
_COLUMNS: Final = [{"name": name, "type": kind} for name, kind in (("seed", "int"), ("id", "int"), ("a", "int"))]
_TABLE: Final[dict[str, Any]] = {
    "primary_key": ["seed", "id"],
    "schema": [*_COLUMNS, {"name": "b", "type": "string"}],
    "dq_rules": [{"id": "a_positive", "type": "range", "column": "a", "params": {"min": 0}}],
    "deequ_checks": [
        {"metric": "completeness", "column": "b", "threshold": 0.1},
        {"metric": "size", "threshold": 1},
    ],
}
TABLES: Final = ("streamed", "tracked", "relayed", "renewed")
"""Debezium's envelope, the same with `track_columns`, that of DMS, and Debezium's with new slots and snapshots that are
complete; a seed belongs to one of them."""
USE_CASE: Final = UseCase.model_validate(
    TINY
    | {
        "name": "packed",
        "tables": [
            {"name": "streamed", **_TABLE},
            {"name": "tracked", "track_columns": ["a"], **_TABLE},
            {"name": "relayed", **_TABLE},
            {"name": "renewed", **_TABLE},
        ],
    }
)


class Position(NamedTuple):
    """What a sequence says, as numbers."""

    epoch: int
    is_streamed: bool
    lsn: int

    @property
    def epoch_start(self) -> "Position":
        """Behind all of older epochs, and before all of this one."""
        return Position(self.epoch, is_streamed=False, lsn=0)


class Message(NamedTuple):
    """A record of one of the topics."""

    table: str
    offset: int
    value: bytes | None


@dataclass(frozen=True)
class Pack:
    """The records of a pack in the order of their offsets, and for each table the events that they carry."""

    number: int
    messages: tuple[Message, ...]
    events: dict[str, frozenset[Event]]

    def batches(self, count: int) -> list[list[Message]]:
        """All messages, shuffled, in so many micro-batches."""
        order = list(self.messages)
        Random(self.number * 100 + count).shuffle(order)
        return [order[start::count] for start in range(count)]


def pack(number: int, seeds: int = SEEDS) -> Pack:
    """The lives of `seeds` seeds, from number * seeds on."""
    messages: list[Message] = []
    events: dict[str, set[Event]] = {table: set() for table in TABLES}
    for seed in range(number * seeds, (number + 1) * seeds):
        table = TABLES[seed % len(TABLES)]
        for record in _life(table, seed):
            messages.append(Message(table, len(messages), value_of(table, seed, record)))
            if record.change is not None:
                events[table] |= events_of(table, seed, record.change)
    return Pack(number, tuple(messages), {table: frozenset(found) for table, found in events.items()})


def _life(table: str, seed: int) -> Sequence[Record]:
    random = Random(seed)
    sent = Source(random).live(TRANSACTIONS).sent
    return deliver(random, [_fitting(change, table, seed) for change in sent if _fits(change, table, seed)])


def _fits(change: Change, table: str, seed: int) -> bool:
    """A truncate ends the rows of all seeds, so few may send one; where there is one slot, there is one snapshot."""
    is_again = table != "renewed" and change.epoch and change.operation == "READ"
    return (change.operation != "TRUNCATE" or seed // len(TABLES) % 5 == 0) and not is_again


def _fitting(change: Change, table: str, seed: int) -> Change:
    """The end of a snapshot ends the rows of all seeds as well."""
    if table != "renewed":
        return change._replace(epoch=0, ends_snapshot=False)
    return change._replace(ends_snapshot=change.ends_snapshot and seed // len(TABLES) % 5 == 1)


def value_of(table: str, seed: int, record: Record) -> bytes | None:
    """What stands in the topic."""
    is_dms = table == "relayed"
    if record.kind == EVENT and record.change is not None:
        value = (_dms if is_dms else _debezium)(seed, record.change)
    else:
        value = {GARBAGE: f"garbage {seed} {record.offset}", CONTROL: _CONTROL[is_dms], TOMBSTONE: None}[record.kind]
    return None if value is None else value.encode()


_CONTROL: Final = (debezium("m", 1), json.dumps({"metadata": {"record-type": "control", "operation": "create-table"}}))
_LETTERS: Final = {"INSERT": "c", "UPDATE": "u", "DELETE": "d", "READ": "r", "TRUNCATE": "t"}
_NAMES: Final = {
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
    "READ": "load",
    "TRUNCATE": "truncate-table",
}


def _row(seed: int, change: Change) -> dict[str, Any] | None:
    if change.key is None:
        return None
    key = {"seed": seed, "id": change.key}
    return key if change.operation == "DELETE" else key | {"a": change.a} | _b(change)


def _b(change: Change) -> dict[str, Any]:
    return {AUTHORED: {"b": _text(change.b)}, UNCHANGED: {"b": TOAST}, ABSENT: {}}[change.b_kind]


def _text(number: int | None) -> str | None:
    return None if number is None else f"text {number}"


def _debezium(seed: int, change: Change) -> str:
    ends = {"snapshot": "last_in_data_collection"} if change.ends_snapshot else {}
    epoch = str(change.epoch) if change.epoch else ""
    letter, row = _LETTERS[change.operation], _row(seed, change)
    return debezium(letter, change.lsn, row, time=change.commit_time, epoch=epoch, **ends)


def _dms(seed: int, change: Change) -> str:
    """DMS has no placeholder: it leaves an unchanged column out; a loaded row knows no more than its message's time."""
    row = _row(seed, change)
    data = row and {name: value for name, value in row.items() if value != TOAST}
    metadata = {
        "timestamp": _iso(change.lsn),
        "record-type": "control" if change.operation == "TRUNCATE" else "data",
        "operation": _NAMES[change.operation],
    }
    if change.operation != "READ":
        position = f"00000000/{change.lsn:08X}.1.00000000/{change.lsn:08X}"
        metadata |= {"commit-timestamp": _iso(change.commit_time), "stream-position": position}
        metadata |= {"transaction-record-id": 1}
    return json.dumps({"data": data, "metadata": metadata})


def _iso(second: int) -> str:
    minutes, seconds = divmod(second, 60)
    return f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.000000Z"


def kafka_record(message: Message) -> tuple[Any, ...]:
    """A row of RECORD_SCHEMA."""
    value = None if message.value is None else bytearray(message.value)
    return (None, value, f"cdc-{message.table}", 0, message.offset, datetime(2026, 1, 1, tzinfo=UTC))


def sequence_of(change: Change) -> str:
    """The text that the product makes of a Debezium change's position."""
    return f"{change.epoch:04X}.{int(change.operation != 'READ')}.{change.lsn:016X}"


def position_of(table: str, sequence: str | None) -> Position | None:
    """The position that the product's text stands for."""
    if sequence is None:
        return None
    epoch, rank, digits = sequence.split(".")[:3]
    number = int(digits, 16)
    is_time = table == "relayed" and rank == "0"
    return Position(int(epoch, 16), rank == "1", (number - COMMIT_MICROS) // 1_000_000 if is_time else number)


def events_of(table: str, seed: int, change: Change) -> set[Event]:
    """What the contract makes of a change: the event, and the boundary of a snapshot that it ends."""
    event = event_of(table, seed, change)
    if not change.ends_snapshot:
        return {event}
    position: Position = event.sequence
    boundary = Event(None, position, "SNAPSHOT", event.commit_time, Stated(), epoch_start=position.epoch_start)
    return {event, boundary}


def event_of(table: str, seed: int, change: Change) -> Event:
    """What the contract makes of a change; the hash comes from the log, because only a tie asks for it."""
    is_read, has_row = change.operation == "READ", change.operation not in {"DELETE", "TRUNCATE"}
    is_bad = has_row and change.is_bad
    # An INSERT states every column: what it leaves out is NULL.
    left_out = change.b_kind != AUTHORED and change.operation != "INSERT" and has_row
    stated = {"a": change.a} | ({} if left_out else {"b": _text(change.b)})
    return Event(
        None if change.key is None else (seed, change.key),
        Position(change.epoch, not is_read, change.lsn),
        change.operation,
        change.lsn if table == "relayed" and is_read else change.commit_time,
        Stated(stated if has_row and not is_bad else {}),
        frozenset({"b"}) if left_out else frozenset(),
        0,
        is_bad,
    )


class Stated(dict[str, Any]):
    """Values of an event, so that equal events are one in a set."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items(), key=str)))
