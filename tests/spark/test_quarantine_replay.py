"""Events that leave the quarantine: the lake is then the one that would have been."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.config.transforms import BUILT_IN_TRANSFORMS
from fluvial.errors import FluvialError, RepairsFileError, StorageError
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.quarantine import read_quarantine
from fluvial.io.quarantine_replay import QuarantineReplayer, Refused, ReplayReport
from fluvial.io.repairs_file import Repair
from fluvial.io.replay_selection import Selection
from fluvial.io.verify import verify_table
from fluvial.streams import BatchContext
from fluvial.transforms.change import change_column
from tests.spark.records import TINY, debezium, records

TOAST = "__debezium_unavailable_value"
VERSION = (
    "_sequence", "_operation", "_effective_from", "_effective_to", "_is_current", "_end_sequence", "_uncertain_since",
    "_unresolved_columns",
)  # fmt: skip


def at(lsn: int) -> str:
    return f"0000.1.{lsn:016X}"


def item(a: str | None, price: str = "1.00", **values: Any) -> dict[str, Any]:
    return {"id": 1, "a": a, "b": "b", "price": price, "seen_at": None, **values}


def write(spark: SparkSession, use_case: UseCase, lake: Path, *batches: list[str], topic: str = "cdc-items") -> None:
    writer, first = LakeWriter(spark, use_case, Locations(use_case, lake), "query-1"), 0
    for number, values in enumerate(batches):
        writer.write(records(spark, values, topic=topic, first=first), number)
        first += len(values)


def replay(spark: SparkSession, use_case: UseCase, lake: Path, table: str, **selection: Any) -> ReplayReport:
    replayer = QuarantineReplayer(spark, use_case.table(table), Locations(use_case, lake), "ann")
    return replace(replayer.replay(Selection(**selection)), replay_id="")


def history(spark: SparkSession, use_case: UseCase, lake: Path, table: str) -> list[tuple[Any, ...]]:
    path = Locations(use_case, lake).table(use_case.table(table)).history
    names = (*use_case.table(table).column_names, *VERSION)
    return [tuple(row) for row in spark.read.format("delta").load(path).select(*names).orderBy("_sequence").collect()]


def data_files(lake: Path) -> set[Path]:
    return {path for path in lake.rglob("*") if path.is_file()}


def test_a_repaired_event_makes_the_history_that_would_have_been(
    spark: SparkSession, tiny: UseCase, tmp_path: Path
) -> None:
    lake, good_lake = tmp_path / "bad", tmp_path / "good"
    before = [debezium("c", 5, item("A"))]
    after = [
        debezium("u", 7, item("C", b=TOAST)),
        debezium("c", 8, item("X", "-2") | {"id": 2}),
        debezium("u", 9, item(TOAST)),
        debezium("d", 11, item("C")),
    ]
    bad, good = debezium("u", 6, item("B", "-1", b="new")), debezium("u", 6, item("B", "2.50", b="new"))
    write(spark, tiny, lake, before, [bad, *after])
    write(spark, tiny, good_lake, before, [good, *after])
    repair = Repair(at(6), {"id": "1"}, {"price": "2.50"}, 1)

    first = replay(spark, tiny, lake, "items", repairs=(repair,))
    files = data_files(lake)
    second = replay(spark, tiny, lake, "items", repairs=(repair,))
    write(spark, tiny, lake, before, [bad, *after])

    assert first == ReplayReport("", 1, 0, 0, (), 3)
    assert history(spark, tiny, lake, "items") == history(spark, tiny, good_lake, "items")
    assert verify_table(tiny, lake, tiny.table("items")).is_same
    assert second == ReplayReport("", 0, 1, 0, (), 0)
    assert data_files(lake) == files
    states = [(row["id"], row["is_replayed"]) for row in read_quarantine(tiny, lake, tiny.table("items"))[0]]
    assert states == [(1, True), (2, False)]


def test_an_event_that_still_breaks_a_rule_stays_and_nothing_is_written(
    spark: SparkSession, tiny: UseCase, lake: Path
) -> None:
    write(spark, tiny, lake, [debezium("c", 5, item(None, "-1"))])
    files = data_files(lake)
    report = replay(spark, tiny, lake, "items", repairs=(Repair(at(5), {"id": "1"}, {"price": "5"}, 1),))
    assert report == ReplayReport("", 0, 0, 1, (Refused("id=1", at(5), ("a_present: a breaks not_null",)),), 0)
    assert data_files(lake) == files


def test_with_a_relaxed_rule_the_stored_event_passes_and_the_run_is_audited(
    spark: SparkSession, tiny: UseCase, lake: Path
) -> None:
    values = [debezium("c", 5, item("A", "150")), debezium("u", 6, item("B", "900"))]
    write(spark, tiny, lake, values)
    relaxed = json.loads(json.dumps(TINY))
    relaxed["tables"][0]["dq_rules"][0]["params"]["max"] = 200
    edited = UseCase.model_validate(relaxed)
    report = replay(spark, edited, lake, "items", rule="price_range")
    assert (report.replayed, report.still_violating) == (1, 1)
    assert [(str(row[3]), row[6]) for row in history(spark, edited, lake, "items")] == [("150.00", "INSERT")]
    path = Locations(edited, lake).quarantine_replays
    audit = spark.read.format("delta").load(path).orderBy("sequence")
    assert [tuple(row) for row in audit.select("key", "outcome", "failed_rules", "replayed_by").collect()] == [
        ("id=1", "replayed", None, "ann"),
        ("id=1", "still violates", ["price_range"], "ann"),
    ]


def test_masked_values_come_back_masked_and_repaired_ones_are_masked_as_usual(
    spark: SparkSession, tmp_path: Path
) -> None:
    document = json.loads(json.dumps(TINY))
    pattern = {"pattern": "^[^*@]+@[^@]+$"}
    document["tables"][1]["dq_rules"].append(
        {"id": "email_format", "type": "regex", "column": "email", "params": pattern}
    )
    use_case = UseCase.model_validate(document)
    people = [
        debezium("c", 5, {"id": 1, "email": "ann@secret.example", "age": 900}),
        debezium("c", 6, {"id": 2, "email": "not an address", "age": 900}),
        debezium("c", 7, {"id": 3, "email": "not an address", "age": 3}),
    ]
    write(spark, use_case, tmp_path, people, topic="cdc-people")
    repairs = (
        Repair(at(5), {"id": "1"}, {"age": "33"}, 1),
        Repair(at(6), {"id": "2"}, {"age": "34"}, 2),
        Repair(at(7), {"id": "3"}, {"email": "  Bob@Secret.example "}, 3),
    )
    report = replay(spark, use_case, tmp_path, "people", repairs=repairs)
    assert [refused.reasons for refused in report.refused] == [
        ("email_format: email breaks regex (pattern=^[^*@]+@[^@]+$)",)
    ]
    assert [row[:3] for row in history(spark, use_case, tmp_path, "people")] == [
        (1, "*" * 14 + "mple", 33),
        (3, "*" * 14 + "mple", 3),
    ]


def test_a_repair_that_no_quarantined_event_answers_to_is_refused_as_a_whole(
    spark: SparkSession, tiny: UseCase, lake: Path
) -> None:
    write(spark, tiny, lake, [debezium("c", 5, item("A", "-1"))])
    files = data_files(lake)
    repairs = (Repair(at(5), {"id": "1"}, {"price": "5"}, 1), Repair(at(6), {"id": "1"}, {"price": "5"}, 2))
    with pytest.raises(RepairsFileError, match="line 2: no event of items with id=1 at sequence"):
        replay(spark, tiny, lake, "items", repairs=repairs)
    assert data_files(lake) == files


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"rule": "price_ragne"}, "items has no rule price_ragne"),
        ({"sequences": (at(5), at(6))}, f"no event of items at sequence {at(6)} is in quarantine"),
        (
            {"rule": "a_present", "repairs": (Repair(at(5), {"id": "1"}, {"price": "5"}, 1),)},
            f"line 1: no event of items with id=1 at sequence {at(5)} is in quarantine for rule a_present",
        ),
    ],
)
def test_what_is_mistyped_does_not_pass_in_silence(
    spark: SparkSession, tiny: UseCase, lake: Path, selection: dict[str, Any], message: str
) -> None:
    write(spark, tiny, lake, [debezium("c", 5, item("A", "-1"))])
    with pytest.raises(FluvialError, match=message):
        replay(spark, tiny, lake, "items", **selection)
    assert replay(spark, tiny, lake, "items", rule="a_present") == ReplayReport("", 0, 0, 0, (), 0)


def test_what_a_stranger_did_is_told_before_anything_is_added(spark: SparkSession, tiny: UseCase, lake: Path) -> None:
    write(spark, tiny, lake, [debezium("c", 5, item("A")), debezium("u", 6, item("B", "-1"))])
    spark.sql(f"DELETE FROM delta.`{Locations(tiny, lake).table(tiny.table('items')).history}`")
    files = data_files(lake)
    with pytest.raises(StorageError, match="its history was changed by something else"):
        replay(spark, tiny, lake, "items", repairs=(Repair(at(6), {"id": "1"}, {"price": "2"}, 1),))
    assert data_files(lake) == files


def test_a_replay_that_died_before_settling_is_finished_by_the_next(
    spark: SparkSession, tiny: UseCase, lake: Path
) -> None:
    write(spark, tiny, lake, [debezium("c", 5, item("A")), debezium("u", 6, item("B", "-1"))])
    replayer = QuarantineReplayer(spark, tiny.table("items"), Locations(tiny, lake), "ann")
    selection = Selection(repairs=(Repair(at(6), {"id": "1"}, {"price": "2"}, 1),))
    selected = replayer._select(selection)
    assert selected is not None
    context = BatchContext("died", 0, datetime.now(UTC))
    replayer._write(replayer._judge(selected, context).localCheckpoint(), context)
    report = replayer.replay(selection)
    assert (report.replayed, report.replayed_before, report.changed_versions) == (0, 1, 2)
    assert verify_table(tiny, lake, tiny.table("items")).is_same


def test_masking_what_is_masked_changes_nothing(spark: SparkSession) -> None:
    texts = spark.createDataFrame([("",), ("abcd",), ("abcde",), ("*bcde",), ("Ann@x.org ",)], "text string")
    params: dict[str, Any] = {"generalize": {"prefix": 3}}
    masks = [
        kind
        for kind in BUILT_IN_TRANSFORMS
        if kind.masks and "key" not in kind.model_fields["params"].annotation.model_fields
    ]
    for mask in masks:
        (name,) = get_args(mask.model_fields["type"].annotation)
        step = mask.model_validate({"type": name, "column": "text", "params": params.get(name, {})})
        once = change_column(step, F.col("text"), "string")
        assert texts.where(~once.eqNullSafe(change_column(step, once, "string"))).collect() == [], name
    assert len(masks) == 3
