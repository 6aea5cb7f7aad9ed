"""What each rule means in Spark, and the transforms that change types and names: all of them over one frame."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.load import load_use_case
from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.io.explain import explain_row
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.quarantine_replay import QuarantineReplayer
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection
from fluvial.io.verify import verify_table
from fluvial.micro_batch import check_records
from fluvial.streams import Records
from tests.spark.placing import place, rows
from tests.spark.records import TINY, debezium, records
from tests.unit.config.test_extensions import blocks

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


PARCELS = Table.model_validate(
    {
        "name": "parcels",
        "primary_key": "id",
        "schema": [
            {"name": "id", "type": "integer"},
            {"name": "weight", "type": "decimal(8,2)"},
            {"name": "size", "type": "string"},
            {"name": "count", "type": "bigint"},
            {"name": "sent", "type": "timestamp"},
            {"name": "note", "type": "string"},
            {"name": "zone", "type": "string"},
        ],
        "dq_rules": [{"id": "note_there", "type": "not_null", "column": "note", "severity": "warning"}],
        "transforms": [
            {"type": "cast", "column": "weight", "params": {"to_type": "int"}, "order": 2},
            {"type": "cast", "column": "size", "params": {"to_type": "smallint"}},
            {"type": "cast", "column": "count", "params": {"to_type": "int"}},
            {"type": "cast", "column": "sent", "params": {"to_type": "date"}},
            {"type": "rename", "column": "note", "params": {"new_name": "remark"}},
            {"type": "upper", "column": "remark"},
            {"type": "default_value", "column": "remark", "params": {"value": "none"}},
            {"type": "mask_pii", "column": "remark", "params": {"visible_chars": 2}, "order": 9},
            {"type": "rename", "column": "zone", "params": {"new_name": "note"}, "order": 10},
        ],
    }
)
PARCEL = {
    "id": 1, "weight": "3.00", "size": "7", "count": 5, "sent": "2026-01-01T23:59:59Z", "note": "fragile", "zone": "A"
}  # fmt: skip


def test_a_bound_that_the_column_s_type_can_not_hold_still_judges_the_longest_values(spark: SparkSession) -> None:
    rules = [
        {"id": "a_low", "type": "range", "column": "a", "params": {"min": 0.5}},
        {"id": "a_high", "type": "range", "column": "a", "params": {"max": 2.5}},
        {"id": "b_all", "type": "range", "column": "b", "params": {"min": 1e19}},
        {"id": "b_none", "type": "range", "column": "b", "params": {"max": 1e19}},
    ]
    columns = [{"name": "id", "type": "int"}, {"name": "a", "type": "decimal(38,0)"}, {"name": "b", "type": "bigint"}]
    table = Table.model_validate({"name": "t", "primary_key": "id", "schema": columns, "dq_rules": rules})
    longest = "9" * 38
    values = [("0", None), ("1", None), ("2", "5"), ("3", None), (longest, None), (f"-{longest}", None), (None, None)]
    rows_of = [debezium("c", n + 1, {"id": n, "a": a, "b": b}) for n, (a, b) in enumerate(values)]
    checked = check_records(Records(records(spark, rows_of)), table).orderBy("_offset").select("_violations.rule_id")
    assert [row[0] for row in checked.collect()] == [
        ["a_low"],
        None,
        ["b_all"],
        ["a_high"],
        ["a_high"],
        ["a_low"],
        None,
    ]


def test_types_and_names_change_and_what_a_type_cannot_hold_is_quarantined(spark: SparkSession) -> None:
    values = [
        debezium("c", 1, PARCEL),
        debezium("c", 2, PARCEL | {"note": None, "sent": None}),
        debezium("u", 3, {"id": 1, "weight": "4.00", "zone": "__debezium_unavailable_value"}),
        debezium("c", 4, PARCEL | {"weight": "3.50", "size": "7.5", "count": 3_000_000_000}),
        debezium("c", 5, PARCEL | {"size": "40000"}),
        debezium("c", 6, PARCEL | {"size": "large", "note": "a secret"}),
        debezium("d", 7, PARCEL | {"weight": "3.50"}),
        debezium("t", 8),
    ]
    outcome = place(spark, PARCELS, values)

    assert {name: kind for name, kind in outcome.log.dtypes if not name.startswith("_")} == {
        "id": "int", "weight": "int", "size": "smallint", "count": "int", "sent": "date", "remark": "string",
        "note": "string",
    }  # fmt: skip
    log = rows(outcome.log, "weight", "size", F.col("sent").cast("string"), "remark", "note", "_not_authored_columns")
    gap = (None, None, None, None, None, None)
    assert log == [
        (3, 7, "2026-01-01", "*****LE", "A", None),
        (3, 7, None, "**ne", "A", None),
        (4, None, None, None, None, ["size", "count", "sent", "remark", "note"]),
        gap,
        gap,
        gap,
        (None, 7, "2026-01-01", "*****LE", "A", None),
        gap,
    ]
    quarantined = rows(outcome.quarantined, "size", "note", "zone", "_after_image.note", "_failed_rules")
    assert quarantined == [
        ("7.5", "*****le", "A", "*****le", ["transform.cast"] * 3),
        ("40000", "*****le", "A", "*****le", ["transform.cast"]),
        ("large", "******et", "A", "******et", ["transform.cast"]),
    ]
    messages = outcome.quarantined.orderBy("_offset").select("_violations.message").first()
    assert messages is not None
    assert messages[0] == [
        "size can't be cast to smallint",
        "count can't be cast to int",
        "weight can't be cast to int",
    ]


def test_what_rounding_would_carry_beyond_its_type_stays_as_it_is(spark: SparkSession) -> None:
    shares = Table.model_validate(
        {
            "name": "shares",
            "primary_key": "id",
            "schema": [{"name": "id", "type": "integer"}, {"name": "part", "type": "decimal(4,2)"}],
            "transforms": [{"type": "round", "column": "part", "params": {"decimals": 1}}],
        }
    )
    parts = ["99.94", "99.95", "-99.99", "0.05", None]
    values = [debezium("c", lsn, {"id": lsn, "part": part}) for lsn, part in enumerate(parts, 1)]

    outcome = place(spark, shares, values)

    assert rows(outcome.log, F.col("part").cast("string")) == [("99.90",), ("99.95",), ("-99.99",), ("0.10",), (None,)]


def test_a_lake_of_other_names_and_types_verifies_explains_and_takes_its_repairs_by_the_sources_names(
    spark: SparkSession, tmp_path: Path
) -> None:
    use_case = UseCase(**dict(UseCase.model_validate(TINY)) | {"tables": (PARCELS,)})
    writer = LakeWriter(spark, use_case, Locations(use_case, tmp_path), "query-1")
    bad = debezium("u", 6, PARCEL | {"size": "large", "note": "new"})
    batches = [[debezium("c", 5, PARCEL)], [bad, debezium("u", 7, {"id": 1, "weight": "4.00", "zone": "B"})]]
    for number, batch in enumerate(batches):
        writer.write(records(spark, batch, topic="cdc-parcels", first=number), number)
    replayer = QuarantineReplayer(spark, PARCELS, Locations(use_case, tmp_path), "ann")
    report = replayer.replay(Selection(repairs=(Repair(f"0000.1.{6:016X}", {"id": "1"}, {"size": "8"}, 1),)))

    assert report.replayed == 1
    assert verify_table(use_case, tmp_path, PARCELS).is_same
    versions = explain_row(use_case, tmp_path, PARCELS, "1").versions
    assert [(version.row["weight"], version.row["size"], version.row["note"]) for version in versions] == [
        (3, 7, "A"),
        (3, 8, "A"),
        (4, 8, "B"),
    ]
    assert versions[1].changed == {"size": (7, 8), "remark": ("*****LE", "*EW")}


def test_what_an_event_says_nothing_of_is_inherited_when_it_comes_back_whatever_the_lake_calls_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    use_case = UseCase(**dict(UseCase.model_validate(TINY)) | {"tables": (PARCELS,)})
    toast = "__debezium_unavailable_value"
    bad = [
        debezium("u", 6, PARCEL | {"size": "large", "note": toast}),
        debezium("u", 7, PARCEL | {"size": "large", "zone": toast, "note": "brittle"}),
        debezium("u", 8, {"id": 1, "weight": "3.00", "size": "large"}),
    ]
    writer = LakeWriter(spark, use_case, Locations(use_case, tmp_path), "query-1")
    writer.write(records(spark, [debezium("c", 5, PARCEL), *bad], topic="cdc-parcels"), 0)
    repairs = tuple(Repair(f"0000.1.{lsn:016X}", {"id": "1"}, {"size": "8"}, lsn) for lsn in (6, 7, 8))
    QuarantineReplayer(spark, PARCELS, Locations(use_case, tmp_path), "ann").replay(Selection(repairs=repairs))

    log = spark.read.format("delta").load(Locations(use_case, tmp_path).table(PARCELS).log).where("not _is_quarantined")
    assert [row[0] for row in log.orderBy("_sequence").select("_not_authored_columns").collect()] == [
        None,
        ["remark"],
        ["note"],
        ["count", "sent", "remark", "note"],
    ]
    versions = explain_row(use_case, tmp_path, PARCELS, "1").versions
    assert [(version.row["remark"], version.row["note"], version.row["count"]) for version in versions] == [
        ("*****LE", "A", 5),
        ("*****LE", "A", 5),
        ("*****LE", "A", 5),
        ("*****LE", "A", 5),
    ]
    assert verify_table(use_case, tmp_path, PARCELS).is_same


def test_the_rule_and_the_transform_of_the_guide_do_what_it_says(
    spark: SparkSession, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    (tmp_path / "fleet_rules.py").write_text(blocks("python", pytestconfig.rootpath))
    (tmp_path / "tables.yaml").write_text(blocks("yaml", pytestconfig.rootpath))
    (tyres,) = load_use_case(tmp_path / "tables.yaml", {}).tables
    values = [
        debezium("c", 1, {"id": 1, "pressure": 250, "fitter": "Ada Augusta King"}),
        debezium("c", 2, {"id": 2, "pressure": None, "fitter": None}),
        debezium("c", 3, {"id": 3, "pressure": 251, "fitter": "Bo"}),
    ]

    outcome = place(spark, tyres, values)

    assert rows(outcome.log, "pressure", "fitter") == [(250, "AAK"), (None, None), (None, None)]
    found = rows(outcome.quarantined, "fitter", "_violations.rule_id", "_violations.message")
    assert found == [("Bo", ["pressure_step"], ["pressure breaks multiple (of=5)"])]
