"""What each rule and each transform means in Spark: all of them over one frame."""

from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import Table
from fluvial.micro_batch import check_records
from fluvial.streams import Records
from tests.spark.records import debezium, records

GUESTS = Table.model_validate(
    {
        "name": "guests",
        "primary_key": ["hotel", "room"],
        "schema": [
            {"name": "hotel", "type": "string"},
            {"name": "room", "type": "integer"},
            {"name": "passport", "type": "string"},
            {"name": "name", "type": "string"},
            {"name": "paid", "type": "decimal(8,2)"},
        ],
        "dq_rules": [
            {"id": "passport.unique", "type": "unique", "column": "passport"},
            {"id": "paid_unique", "type": "unique", "column": "paid", "severity": "error"},
            {"id": "name_length", "type": "length", "column": "name", "params": {"min": 2, "max": 4}},
        ],
    }
)


def guest(room: int, passport: str | None = None, name: str | None = None, paid: str | None = None) -> dict[str, Any]:
    return {"hotel": "Adlon", "room": room, "passport": passport, "name": name, "paid": paid}


def test_a_value_is_shared_by_rows_of_different_keys_only_and_a_length_counts_characters(spark: SparkSession) -> None:
    values = [
        (debezium("c", 1, guest(1, "A1")), False, ["passport.unique"]),
        (debezium("u", 2, guest(1, "A1")), False, ["passport.unique"]),
        (debezium("r", 3, guest(2, "A1")), False, ["passport.unique"]),
        (debezium("c", 4, guest(3, "B2")), False, None),
        (debezium("u", 5, guest(3, "B2")), False, None),
        (debezium("u", 5, guest(3, "B2")), False, None),
        (debezium("d", 6, guest(4, "B2")), False, None),
        (debezium("c", 7, guest(5, None)), False, None),
        (debezium("c", 8, guest(6, "a1")), False, None),
        (debezium("c", 9, guest(7, paid="7.50")), True, ["paid_unique"]),
        (debezium("c", 10, guest(8, paid="7.5")), True, ["paid_unique"]),
        (debezium("c", 11, guest(9, paid="many")), True, ["schema.type"]),
        (debezium("c", 12, guest(10, paid="many")), True, ["schema.type"]),
        (debezium("u", 13, guest(11, "__debezium_unavailable_value")), False, None),
        (debezium("u", 14, guest(12, "__debezium_unavailable_value")), False, None),
        (debezium("c", 15, guest(13, name="Jo")), False, None),
        (debezium("c", 16, guest(14, name="J")), True, ["name_length"]),
        (debezium("c", 17, guest(15, name="")), True, ["name_length"]),
        (debezium("c", 18, guest(16, name="Zoë🚲")), False, None),
        (debezium("c", 19, guest(17, name="Maria")), True, ["name_length"]),
        (debezium("t", 20), False, None),
        (None, False, None),
        ("nonsense", False, None),
    ]
    checked = check_records(Records(records(spark, [value for value, _, _ in values])), GUESTS)
    found = checked.orderBy("_offset").select("_has_error", F.col("_violations.rule_id"))
    assert [tuple(row) for row in found.collect()] == [(has_error, rules) for _, has_error, rules in values]
    assert [name for name in checked.columns if name.startswith("_is_")] == []
