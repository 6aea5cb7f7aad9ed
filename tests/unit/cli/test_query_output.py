import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import StringIO

import pyarrow as pa
import pytest
from rich.console import Console

from fluvial.cli.query_output import csv_chunks, json_chunks, print_table


def as_json(**columns: list[object] | pa.Array) -> str:
    return "".join(json_chunks(pa.table(columns)))


def test_json_is_one_array_of_objects() -> None:
    assert as_json(a=[1, 2], b=["x", None]) == '[\n  {"a": 1, "b": "x"},\n  {"a": 2, "b": null}\n]\n'


def test_json_of_no_rows_is_an_empty_array() -> None:
    assert as_json(a=[]) == "[]\n"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 11, 21, 8, tzinfo=UTC), '"2026-11-21T08:00:00.000000Z"'),
        (datetime(2026, 11, 21, 8, 0, 0, 7), '"2026-11-21T08:00:00.000007"'),  # noqa: DTZ001 - a column without zone
        (Decimal("12345678901234567890123456789012.3400"), "12345678901234567890123456789012.3400"),
        (Decimal("0E-18"), "0.000000000000000000"),
        (date(1883, 11, 18), '"1883-11-18"'),
        (time(1, 2, 3), '"01:02:03"'),
        (b"\x00\xff", '"AP8="'),
        (float("nan"), '"NaN"'),
        (float("-inf"), '"-Infinity"'),
        (0.1, "0.1"),
        (True, "true"),
        ('naïve "x"', '"naïve \\"x\\""'),
        ([{"rule_id": "r1", "n": None}], '[{"rule_id": "r1", "n": null}]'),
    ],
)  # fmt: skip
def test_json_writes_each_value_exactly(value: object, written: str) -> None:
    assert as_json(a=[value]) == f'[\n  {{"a": {written}}}\n]\n'


def test_json_writes_a_map_as_an_object() -> None:
    column = pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string()))
    assert json.loads(as_json(a=column)) == [{"a": {"k": "v"}}]


def test_csv_has_a_header_and_quotes_where_needed() -> None:
    table = pa.table({"a": ['x,"y"', None], "t": [datetime(2026, 1, 1, tzinfo=UTC), None]})
    assert "".join(csv_chunks(table)) == 'a,t\n"x,""y""",2026-01-01T00:00:00.000000Z\n,\n'


def test_a_table_on_a_pipe_is_plain_text() -> None:
    out = StringIO()
    print_table(pa.table({"plate": ["A[b]"], "n": [12]}), Console(file=out))
    assert [line.split() for line in out.getvalue().splitlines()] == [["plate", "n"], ["A[b]", "12"]]


def test_a_wide_table_on_a_pipe_is_neither_folded_nor_cut() -> None:
    out = StringIO()
    print_table(pa.table({f"column_{number}": ["x" * 40] for number in range(12)}), Console(file=out))
    assert len(out.getvalue().splitlines()) == 2
    assert out.getvalue().count("x" * 40) == 12
