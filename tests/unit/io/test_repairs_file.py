import json
from pathlib import Path
from typing import Any

import pytest

from fluvial.errors import RepairsFileError
from fluvial.io.repairs_file import Repair, read_repairs, repair_line
from tests.unit.io.lakes import VEHICLES, use_case_of

TABLE = use_case_of().tables[0]
GOOD = '{"sequence": "s1", "key": {"id": 1}, "values": {"price": "2.50"}}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "repairs.jsonl"


def test_values_stay_the_texts_they_are(path: Path) -> None:
    path.write_text('{"sequence": "s1", "key": {"id": 1}, "values": {"price": 2.50, "plate": null}}\n\n')
    assert read_repairs(path, TABLE) == (Repair("s1", {"id": "1"}, {"price": "2.50", "plate": None}, 1),)


def test_a_value_may_hold_what_ends_a_line_elsewhere(path: Path) -> None:
    event: dict[str, Any] = {"_sequence": "s1", "id": 1, "_after_image": [("plate", "x\u2028y\x85z")]}
    event["_violations"] = [{"column": "plate", "severity": "error"}]
    line = json.dumps(repair_line(event, TABLE), ensure_ascii=False)
    path.write_bytes(f"{line}\r\n".encode())
    assert read_repairs(path, TABLE) == (Repair("s1", {"id": "1"}, {"plate": "x\u2028y\x85z"}, 1),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ("[]", "expected sequence, key and values, and nothing else"),
        ('{"sequence": "s1", "key": {"id": 1}}', "expected sequence, key and values, and nothing else"),
        (
            '{"sequence": 1, "key": {"id": 1}, "values": {}}',
            "sequence is a text, key and values are objects of texts, values isn't empty",
        ),
        ('{"sequence": "s1", "key": {"no": 1}, "values": {"price": "1"}}', "the key of vehicles is id"),
        ('{"sequence": "s1", "key": {"id": null}, "values": {"price": "1"}}', "the key of vehicles is id"),
        ('{"sequence": "s1", "key": {"id": 1}, "values": {"id": "2"}}', "id can't be repaired in vehicles"),
        (GOOD, "repairs the event of line 1 once more"),
    ],
)
def test_a_wrong_line_is_named_with_its_reason(path: Path, line: str, reason: str) -> None:
    path.write_text(f"{GOOD}\n{line}\n")
    with pytest.raises(RepairsFileError) as caught:
        read_repairs(path, TABLE)
    assert (caught.value.message, caught.value.line) == (f"{path}:2: {reason}", 2)


def test_a_missing_file_says_what_one_looks_like(path: Path) -> None:
    with pytest.raises(RepairsFileError, match=r"can't read .*No such file or directory"):
        read_repairs(path, TABLE)


def test_a_quarantined_event_becomes_a_line_without_masked_values() -> None:
    masked = use_case_of({**VEHICLES, "transforms": [{"type": "mask_pii", "column": "plate"}]}).tables[0]
    violations = [{"column": name, "severity": "error"} for name in ("plate", "price", "seen_at")]
    violations[2]["severity"] = "warning"
    image = [("id", "1"), ("plate", "**"), ("price", "-1"), ("seen_at", "x")]
    event = {"id": 1, "_sequence": "s1", "_after_image": image, "_violations": violations}
    assert repair_line(event, masked) == {"sequence": "s1", "key": {"id": 1}, "values": {"price": "-1"}}
