"""Texts as sources write them, read as the configured types: exactly, or not at all."""

import base64
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import UseCase
from fluvial.envelope.derived import change_events
from fluvial.envelope.values import read_value
from fluvial.micro_batch import check_records
from fluvial.streams import CheckedRecords, Records
from fluvial.transforms.change_type import change_type, fit
from tests.spark.records import TINY, debezium, dms, records

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CASES: list[tuple[str, str, Any]] = [
    ("decimal(10,2)", "1.50", Decimal("1.50")),
    ("decimal(10,2)", "1.5", Decimal("1.50")),
    ("decimal(10,2)", "-0.01", Decimal("-0.01")),
    ("decimal(10,2)", "1.500", Decimal("1.50")),
    ("decimal(10,2)", "1.505", None),
    ("decimal(10,2)", "0.001", None),
    ("decimal(10,2)", "100000000.00", None),
    ("decimal(10,2)", "1.5E3", Decimal("1500.00")),
    ("decimal(10,2)", "1.0E-5", None),
    ("decimal(10,2)", "NaN", None),
    ("decimal(10,2)", "Infinity", None),
    ("decimal(10,2)", "", None),
    ("decimal(10,0)", "12.0", Decimal(12)),
    ("decimal(10,0)", "12.5", None),
    ("decimal(38,18)", "12345678901234567890.123456789012345678", Decimal("12345678901234567890.123456789012345678")),
    ("decimal(38,18)", "0.000000000000000000", Decimal("0E-18")),
    ("decimal(38,18)", "0.0000000000000000001", None),
    ("decimal(38,38)", ".99999999999999999999999999999999999999", Decimal("0." + "9" * 38)),
    ("double", "NaN", "nan"),
    ("double", "-Infinity", float("-inf")),
    ("double", "1.7976931348623157E308", 1.7976931348623157e308),
    ("bigint", "9223372036854775807", 9223372036854775807),
    ("bigint", "9223372036854775808", None),
    ("boolean", "true", True),
    ("boolean", "false", False),
    ("boolean", " T ", True),
    ("boolean", "f", False),
    ("boolean", "maybe", None),
    ("boolean", "truer", None),
    ("date", "1883-11-18Z", date(1883, 11, 18)),
    ("date", "9999-12-31", date(9999, 12, 31)),
    ("date", "0001-01-01Z", date(1, 1, 1)),
    ("date", "2932896", date(9999, 12, 31)),
    ("date", "2024-02-30", None),
    ("date", "2932897", None),
    ("date", "10000-01-01", None),
    ("date", "-0043-03-15Z", None),
    ("date", "-5877611-06-21Z", None),
    ("date", "+292278994-08-16Z", None),
    ("date", "infinity", None),
    ("date", "2024-05-06T00:00:00Z", date(2024, 5, 6)),
    ("date", "2024-05-06T10:00:00Z", None),
    ("date", "2024-05-06 and more", None),
    ("date", "2024", date(1975, 7, 18)),
    ("timestamp", "12:00", None),
    ("timestamp", "T12:00:00Z", None),
    ("timestamp", "2024-05", None),
    ("timestamp", "2024-05-06 and more", None),
    ("timestamp", "1883-11-18T12:00:00.123456Z", datetime(1883, 11, 18, 12, 0, 0, 123456, UTC)),
    ("timestamp", "9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ("timestamp", "-0043-03-15T00:00:00Z", None),
    ("timestamp", "infinity", None),
    ("timestamp", "0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ("timestamp", "0001-01-01T05:00:00+05:00", datetime(1, 1, 1, tzinfo=UTC)),
    ("timestamp", "0001-01-01T04:59:59+05:00", None),
    ("timestamp", "0000-12-31T23:59:59Z", None),
    ("timestamp", "9999-12-31T23:59:59-00:01", None),
    ("timestamp", "2024-01-01T00:00:00ZZ", None),
    ("timestamp", "2024-01-01Z", datetime(2024, 1, 1, tzinfo=UTC)),
    ("timestamp", "253402300800000000", None),
    ("timestamp", "2024-01-01T00:00:00.000001+05:30", datetime(2023, 12, 31, 18, 30, 0, 1, UTC)),
    ("timestamp", "2024-01-01 00:00:00.5", datetime(2024, 1, 1, 0, 0, 0, 500000, UTC)),
    ("binary", "", b""),
    ("binary", "AAEC/w==", b"\x00\x01\x02\xff"),
    ("binary", "0xAB", base64.b64decode("0xAB")),
    ("binary", "not base64!!", None),
    ("binary", "AAE", None),
]


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> list[Any]:
    """Every case in one row; a timestamp as microseconds, so that no local time zone comes between."""
    texts = spark.createDataFrame([tuple(text for _, text, _ in CASES)], [f"c{n}" for n in range(len(CASES))])
    columns = [read_value(F.col(f"c{number}"), kind) for number, (kind, _, _) in enumerate(CASES)]
    shown = [F.unix_micros(column) if CASES[n][0] == "timestamp" else column for n, column in enumerate(columns)]
    return list(texts.select(*(column.alias(f"v{number}") for number, column in enumerate(shown))).collect()[0])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{kind} {text[:24]}" for kind, text, _ in CASES])
def test_a_text_is_read_exactly_or_not_at_all(read: list[Any], number: int) -> None:
    expected, found = CASES[number][2], read[number]

    if isinstance(expected, datetime):
        assert found == (expected - EPOCH) // timedelta(microseconds=1)
    elif expected == "nan":
        assert math.isnan(found)
    else:
        assert found == expected


def test_nothing_is_cast_to_a_time_outside_of_the_years_1_to_9999(spark: SparkSession) -> None:
    casts = [
        change_type(F.lit("9999-12-31"), "string", "date"),
        change_type(F.lit("10000-01-01"), "string", "date"),
        change_type(F.lit("-0043-03-15"), "string", "date"),
        change_type(F.lit(10**15), "bigint", "timestamp"),
        fit(F.lit("10000-01-01T00:00:00Z"), "timestamp", is_text=True),
    ]
    assert texts_of(spark, casts) == ("9999-12-31", None, None, None, None)


def test_a_text_is_cast_whole_or_not_at_all(spark: SparkSession) -> None:
    casts = [
        change_type(F.lit(" 2024-5-6 "), "string", "date"),
        change_type(F.lit("2024-05-06T10:00:00"), "string", "date"),
        change_type(F.lit("2024-05-06T10:00:00.5Z"), "string", "timestamp"),
        change_type(F.lit("12:00"), "string", "timestamp"),
        change_type(F.lit("1.50"), "string", "decimal(4,2)"),
        change_type(F.lit("1.5e1"), "string", "decimal(4,2)"),
        change_type(F.lit("1.505"), "string", "decimal(4,2)"),
        fit(F.lit("12:00"), "timestamp", is_text=True),
        fit(F.lit("2024-05-06 10:00:00").cast("timestamp"), "date", is_text=False),
    ]
    assert texts_of(spark, casts) == (
        "2024-05-06", None, "2024-05-06 10:00:00.5", None, "1.50", "15.00", None, None, "2024-05-06"
    )  # fmt: skip


def texts_of(spark: SparkSession, columns: list[Column]) -> tuple[str | None, ...]:
    found = spark.range(1).select(*(column.cast("string") for column in columns)).first()
    assert found is not None
    return tuple(found)


WIDE = {
    "name": "wide",
    "primary_key": ["id"],
    "schema": [
        {"name": "id", "type": "decimal(20,4)"},
        {"name": "amount", "type": "decimal(38,18)"},
        {"name": "rate", "type": "decimal(18,6)"},
        {"name": "small", "type": "decimal(15,2)"},
    ],
}


def test_a_wide_decimal_that_dms_writes_as_a_number_keeps_every_digit(spark: SparkSession) -> None:
    key, amount, small = "1234567890123456.7891", "12345678901234567890.123456789012345678", "1234567890123.45"
    (table,) = UseCase.model_validate(TINY | {"tables": [WIDE]}).tables
    row = {"id": key, "amount": amount, "rate": "0.1", "small": small}
    values = [
        dms("insert", 1, row),
        dms("update", 2, row, {"id": key}),
        dms("update", 3, row, {"id": "1234567890123456.7892"}),
        dms("insert", 4, row | {"rate": "123456789012.1234567"}),
        dms("insert", 5, row | {"amount": "+1.5", "rate": None}),
    ]
    numbers = [re.sub(r'": "(-?[0-9.]+)"', r'": \1', value) for value in values]  # what begins with + stays a text
    frame = records(spark, numbers, topic="cdc-wide")
    checked = check_records(Records(frame), table).orderBy("_offset")

    found = checked.select("id", "amount", "rate", "small", "_unreadable_columns").collect()
    implied = change_events(CheckedRecords(checked), table, has_derived=True).where("_is_derived")

    assert [tuple(map(str, row)) for row in found] == [
        (key, amount, "0.100000", small, "None"),
        (key, amount, "0.100000", small, "None"),
        (key, amount, "0.100000", small, "None"),
        (key, amount, "None", small, "['rate']"),
        (key, "1.500000000000000000", "None", small, "None"),
    ]
    assert [(row["_operation"], str(row["id"])) for row in implied.collect()] == [("DELETE", "1234567890123456.7892")]


def test_a_decimal_with_too_many_digits_is_a_violation_in_both_envelopes(spark: SparkSession, tiny: UseCase) -> None:
    row = {"id": 1, "a": "A", "price": "1.505"}
    checked = check_records(
        Records(records(spark, [debezium("c", 1, row), dms("insert", 2, row)])), tiny.table("items")
    )
    found = checked.orderBy("_offset").select("price", F.col("_violations")[0]["message"]).collect()

    assert [tuple(row) for row in found] == [(None, "price can't be read as decimal(10,2)")] * 2


def test_bytes_are_the_same_from_both_envelopes(spark: SparkSession) -> None:
    table = {
        "name": "t",
        "primary_key": "id",
        "schema": [{"name": "id", "type": "int"}, {"name": "b", "type": "binary"}],
    }
    fleet = UseCase.model_validate({**TINY, "tables": [table]})
    content = bytes(range(256)) * 2
    values = [
        debezium("c", 1, {"id": 1, "b": base64.b64encode(content).decode()}),
        dms("insert", 2, {"id": 2, "b": f"0x{content.hex()}"}),
        debezium("c", 3, {"id": 3, "b": "0xAB"}),
        dms("insert", 4, {"id": 4, "b": "0xzz"}),
    ]
    checked = check_records(Records(records(spark, values, topic="cdc-t")), fleet.table("t")).cache()
    broken = checked.where("_has_error").select("_offset", "_violations.rule_id").collect()
    assert [tuple(row) for row in broken] == [(3, ["schema.type"])]
    found = [bytes(row[0]) if row[0] is not None else None for row in checked.orderBy("_offset").select("b").collect()]

    assert found == [content, content, base64.b64decode("0xAB"), None]
