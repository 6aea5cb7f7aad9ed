from collections import Counter
from pathlib import Path

import pytest

from fluvial.errors import EventsFileError
from fluvial.io.events_file import in_micro_batches, read_events, shuffle_events


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_records_come_in_micro_batches_and_in_the_file_s_order(tmp_path: Path) -> None:
    path = written(tmp_path, *(f'{{"topic": "t", "partition": 2, "offset": {n}, "payload": "x"}}' for n in range(5)))
    batches = in_micro_batches(read_events(path), 2)
    assert [[record[4] for record in batch] for batch in batches] == [[0, 1], [2, 3], [4]]


def test_a_shuffled_delivery_holds_each_record_every_fourth_one_twice_and_is_the_same_for_a_seed(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, *(f'{{"topic": "t", "payload": "{n}"}}' for n in range(9)))
    offsets = [record[4] for record in shuffle_events(read_events(path), 1)]
    assert offsets == [record[4] for record in shuffle_events(read_events(path), 1)]
    assert offsets != sorted(offsets)
    assert sorted(Counter(offsets).values()) == [1] * 7 + [2] * 2


def test_keys_and_payloads_are_bytes_or_null_and_objects_become_their_json(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"topic": "t", "partition": 0, "offset": 7, "key": "k", "payload": null}',
        "",
        '{"topic": "t", "partition": 0, "offset": 8, "payload": {"a": 1}}',
    )
    tombstone, change = read_events(path)
    assert tombstone[:5] == (bytearray(b"k"), None, "t", 0, 7)
    assert change[:5] == (None, bytearray(b'{"a": 1}'), "t", 0, 8)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"topic": "t", ', "events.jsonl:2: not JSON"),
        ("[1]", "events.jsonl:2: not a Kafka record with a topic"),
        ('{"payload": "x"}', "events.jsonl:2: not a Kafka record with a topic"),
        ('{"topic": "t", "ts": 1e18}', "events.jsonl:2: ts isn't a time in milliseconds of the years 1970 to 9999"),
        ('{"topic": "t", "ts": Infinity}', "events.jsonl:2: ts isn't a time in milliseconds of the years 1970 to 9999"),
        ('{"topic": "t", "offset": "seven"}', "events.jsonl:2: partition and offset must be whole numbers"),
    ],
)
def test_a_line_that_is_no_record_is_refused_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, '{"topic": "t"}', line)
    with pytest.raises(EventsFileError, match=message) as refused:
        list(read_events(path))
    assert refused.value.line == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EventsFileError, match=r"can't read .*nothing.jsonl: No such file"):
        list(read_events(tmp_path / "nothing.jsonl"))
