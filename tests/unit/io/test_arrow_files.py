"""Data files that are read and written without Spark: the same values, and statistics that Delta's readers go by."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fluvial.io.arrow_files import ArrowFiles, StoredFile, UnsuitedError, stored_file
from fluvial.io.arrow_types import arrow_schema
from fluvial.io.delta_statistics import statistics_text

OLD = datetime(1, 1, 1, 0, 0, 0, 1999, UTC)
NEW = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
SCHEMA = pa.schema(
    [
        ("id", pa.int8()),
        ("text", pa.string()),
        ("price", pa.decimal128(38, 18)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("ratio", pa.float64()),
        ("raw", pa.binary()),
        ("flag", pa.bool_()),
        ("names", pa.list_(pa.field("element", pa.string()))),
    ]
)
ROWS: list[dict[str, Any]] = [
    dict(zip(SCHEMA.names, row, strict=True))
    for row in [
        (-128, "é" * 40, Decimal("-12345678901234567890.123456789012345678"), date(1, 1, 1), OLD, -0.0, b"", True, []),
        (127, None, Decimal("0.000000000000000001"), date(9999, 12, 31), NEW, float("inf"), b"\xff\x00", None, [None]),
        (0, 'a "b"\n', None, None, None, None, None, False, None),
    ]
]


def rows() -> pa.Table:
    return pa.Table.from_pylist(ROWS, schema=SCHEMA)


def written(folder: Path, table: pa.Table, most: int) -> list[dict[str, Any]]:
    actions = ArrowFiles(str(folder), "3.5.7").write(table, {"_is_current": "true"}, most, ("id", "text", "at"))
    return [json.loads(action)["add"] for action in actions]


def test_what_is_written_is_read_again_and_adds_up(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a b", rows(), 2)
    assert [first["partitionValues"], first["dataChange"]] == [{"_is_current": "true"}, True]
    assert first["size"] == (tmp_path / "a b" / first["path"]).stat().st_size
    assert abs(first["modificationTime"] / 1000 - (tmp_path / "a b" / first["path"]).stat().st_mtime) < 0.01
    files, parts = ArrowFiles(str(tmp_path / "a b")), []
    for action in (first, second):
        parts += files.read(StoredFile(action["path"], 0), SCHEMA, 10_000).to_pylist()
    assert parts == ROWS
    assert [json.loads(action["stats"])["numRecords"] for action in (first, second)] == [2, 1]


def test_old_times_are_marked_as_what_they_are(tmp_path: Path) -> None:
    (action,) = written(tmp_path, rows(), 10)
    assert pq.read_metadata(tmp_path / action["path"]).metadata == {b"org.apache.spark.version": b"3.5.7"}


def test_values_that_repeat_get_a_dictionary_and_others_what_suits_them(tmp_path: Path) -> None:
    table = pa.table({"same": ["x"] * 2_000, "other": [f"{n:05}" for n in range(2_000)], "count": range(2_000)})
    (action,) = (json.loads(each)["add"] for each in ArrowFiles(str(tmp_path)).write(table, {"p": "1"}, 5_000, ()))
    group = pq.read_metadata(tmp_path / action["path"]).row_group(0)
    encodings = {group.column(n).path_in_schema: group.column(n).encodings for n in range(3)}
    assert "RLE_DICTIONARY" in encodings["same"]
    assert "DELTA_BYTE_ARRAY" in encodings["other"]
    assert "DELTA_BINARY_PACKED" in encodings["count"]


def test_a_column_that_a_file_lacks_is_null_whatever_the_case_of_the_others(tmp_path: Path) -> None:
    (action,) = written(tmp_path, rows(), 10)
    wanted = pa.schema([("NAMES", SCHEMA.field("names").type), ("ID", pa.int32()), ("later", pa.decimal128(4, 2))])
    found = ArrowFiles(str(tmp_path)).read(StoredFile(action["path"], 3), wanted, 10_000)
    assert found.to_pylist() == [
        {"NAMES": [], "ID": -128, "later": None},
        {"NAMES": [None], "ID": 127, "later": None},
        {"NAMES": None, "ID": 0, "later": None},
    ]


def test_more_than_there_is_room_for_is_refused(tmp_path: Path) -> None:
    (action,) = written(tmp_path, rows(), 10)
    with pytest.raises(UnsuitedError, match="more than 100 bytes"):
        ArrowFiles(str(tmp_path)).read(StoredFile(action["path"], 3), SCHEMA, 100)


class Added:
    """One of Delta's AddFiles."""

    def __init__(self, **told: Any) -> None:
        self.told = told

    def json(self) -> str:
        return json.dumps({"add": self.told})


def test_a_file_is_known_by_its_own_path() -> None:
    found = stored_file(Added(path="a%20b/part.parquet", stats='{"numRecords":7}'))
    assert [found, found.name] == [StoredFile("a b/part.parquet", 7), "part.parquet"]
    assert stored_file(Added(path="part.parquet")).rows == 0


@pytest.mark.parametrize(
    "told", [{"path": "s3://elsewhere/part.parquet"}, {"path": "/a/part"}, {"path": "p", "deletionVector": {}}]
)
def test_a_file_that_only_spark_reads_rightly_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(UnsuitedError, match="isn't a plain file of the table"):
        stored_file(Added(**told))


def test_bounds_are_those_that_delta_keeps() -> None:
    assert json.loads(statistics_text(rows(), SCHEMA.names[:-1]), parse_float=Decimal) == {
        "numRecords": 3,
        "minValues": {
            "id": -128,
            "text": 'a "b"\n',
            "price": Decimal("-12345678901234567890.123456789012345678"),
            "day": "0001-01-01",
            "at": "0001-01-01T00:00:00.001Z",
        },
        "maxValues": {
            "id": 127,
            "text": "é" * 32 + "\U0010ffff",
            "price": Decimal("0.000000000000000001"),
            "day": "9999-12-31",
            "at": "9999-12-31T23:59:59.999Z",
        },
        "nullCount": {"id": 0, "text": 1, "price": 1, "day": 1, "at": 1, "ratio": 1, "raw": 1, "flag": 1},
    }


def test_a_bound_that_can_t_be_cut_or_isn_t_there_is_left_out() -> None:
    table = pa.table({"cut": ["x" * 32 + "\U0010ffff" + "y"], "none": pa.array([None], pa.string())})
    assert json.loads(statistics_text(table, ("cut", "none"))) == {
        "numRecords": 1,
        "minValues": {"cut": "x" * 32},
        "maxValues": {},
        "nullCount": {"cut": 0, "none": 1},
    }


def test_every_type_of_a_column_has_one_of_arrow_s() -> None:
    kinds = ["byte", "string", "decimal(38,18)", "date", "timestamp", "double", "binary", "boolean"]
    fields = [{"name": field.name, "type": kind} for field, kind in zip(SCHEMA, kinds, strict=False)]
    fields.append({"name": "names", "type": {"type": "array", "elementType": "string", "containsNull": True}})
    assert arrow_schema(json.dumps({"fields": fields})) == SCHEMA
    fields.append({"name": "odd", "type": {"type": "map", "keyType": "string", "valueType": "long"}})
    assert arrow_schema(json.dumps({"fields": fields})) is None
