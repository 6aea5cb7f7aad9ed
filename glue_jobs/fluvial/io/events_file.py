"""Recorded Kafka records, one JSON object a line as `kcat -J` prints them, read in micro-batches."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from fluvial.errors import EventsFileError

RECORD_SCHEMA: Final = "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp"
Record = tuple[bytearray | None, bytearray | None, str, int, int, datetime | None]
_SHAPE: Final = 'one JSON object a line: {"topic", "partition", "offset", "ts", "key", "payload"}, as `kcat -J` prints'


def read_events(path: Path) -> Iterator[Record]:
    """The records in the file's order; raises EventsFileError with the line's number."""
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            yield _record(line, path, number)


def shuffle_events(records: Iterable[Record], seed: int) -> list[Record]:
    """What a bad day makes of the records: another order, and every fourth delivered twice; the same for a seed."""
    random, delivered = Random(seed), list(records)  # noqa: S311 - no secret is drawn
    delivered += random.sample(delivered, len(delivered) // 4)
    random.shuffle(delivered)
    return delivered


def in_micro_batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Lists of at most `size` records."""
    remaining = iter(records)
    while batch := list(islice(remaining, size)):
        yield batch


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            yield from file
    except OSError as error:
        raise EventsFileError(f"can't read {path}: {error.strerror}", "give a file of recorded events") from error


def _record(line: str, path: Path, number: int) -> Record:
    def refuse(reason: str) -> EventsFileError:
        return EventsFileError(f"{path}:{number}: {reason}", _SHAPE, line=number)

    try:
        event = json.loads(line)
    except json.JSONDecodeError as error:
        raise refuse(f"not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(event, dict) or not isinstance(event.get("topic"), str):
        raise refuse("not a Kafka record with a topic")
    partition, offset = event.get("partition", 0), event.get("offset", number - 1)
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (partition, offset)):
        raise refuse("partition and offset must be whole numbers")
    try:
        time = _time(event)
    except (ValueError, OverflowError) as error:
        raise refuse("ts isn't a time in milliseconds of the years 1970 to 9999") from error
    return (_bytes(event.get("key")), _bytes(event.get("payload")), event["topic"], partition, offset, time)


def _bytes(value: Any) -> bytearray | None:
    """Text as it was on the wire; an object that some tools print in place of its text is written again as JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return bytearray(text.encode("utf-8", errors="surrogatepass"))


def _time(event: dict[str, Any]) -> datetime | None:
    millis = event.get("ts")
    return datetime.fromtimestamp(millis / 1000, UTC) if isinstance(millis, int | float) and millis > 0 else None
