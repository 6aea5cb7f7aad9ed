"""Edits that derive a history again: the rows that the plan tells are the rows that then differ."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import Table, UseCase
from fluvial.config.settle import SettlePolicy
from fluvial.io.lake_writer import LakeWriter
from fluvial.io.rebuild import rebuild_table
from fluvial.io.settling import settle_tables
from fluvial.io.verify import verify_table
from fluvial.local.change_apply import Rebuild, apply_to_lake
from fluvial.local.change_plan import make_change_plan
from fluvial.local.home import Home
from tests.spark.records import TINY, debezium, records

A, B = {"a": "A", "b": "x", "price": "1.00"}, {"a": "B", "b": "x", "price": "1.00"}
EVENTS = [
    debezium("c", 1, {"id": 1, **A}),
    debezium("u", 2, {"id": 1, **A, "price": "2.00"}),
    debezium("u", 3, {"id": 1, **B, "price": "2.00"}),
    debezium("u", 4, {"id": 1, **B, "b": "y", "price": "3.00"}),
    debezium("c", 5, {"id": 2, **A}),
    debezium("d", 6, {"id": 2, **A}),
    debezium("c", 7, {"id": 2, **A, "price": "5.00"}),
    debezium("c", 8, {"id": 3, **A, "price": "-1.00"}),
]


def use_case(*tracked: str, columns: tuple[str, ...] = ("id", "a", "b", "price", "seen_at")) -> UseCase:
    """The tiny use case, with some tracked columns, and with some of its columns only."""
    raw = copy.deepcopy(TINY)
    items = raw["tables"][0]
    items.update(
        schema=[column for column in items["schema"] if column["name"] in columns],
        dq_rules=[rule for rule in items["dq_rules"] if rule["column"] in columns],
        track_columns=list(tracked),
    )
    return UseCase.model_validate(raw)


def waiting(fleet: UseCase) -> UseCase:
    """The same, settled by hand."""
    never = SettlePolicy(policy="rows", rows=1_000_000)
    return fleet.model_copy(update={"settings": fleet.settings.model_copy(update={"settle": never})})


@pytest.fixture
def rebuild(spark: SparkSession) -> Rebuild:
    """As `fluvial apply` does it, in the session of the tests."""

    def derive(fleet: UseCase, tables: tuple[Table, ...], home: Home) -> Mapping[str, int]:
        return {table.name: rebuild_table(spark, table, Locations(fleet, home.lake)) for table in tables}

    return derive


def write(spark: SparkSession, fleet: UseCase, home: Home, query_id: str, events: list[str], first: int = 0) -> None:
    LakeWriter(spark, fleet, Locations(fleet, home.lake), query_id).write(records(spark, events, first=first), 0)


def versions(spark: SparkSession, home: Home) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Every column but the processing time, by key and sequence."""
    history = spark.read.format("delta").load(f"{home.lake}/tiny/items").drop("_ingested_at")
    return {(row["id"], row["_sequence"]): tuple(row) for row in history.collect()}


def differing(before: dict[Any, Any], after: dict[Any, Any]) -> tuple[int, int, int]:
    """Rows that are new, that are gone, and that are other than they were."""
    both = before.keys() & after.keys()
    return len(after.keys() - both), len(before.keys() - both), sum(before[key] != after[key] for key in both)


def test_tracking_other_columns_changes_the_rows_that_were_told(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home = Home(tmp_path)
    write(spark, use_case(), home, "q", EVENTS)
    apply_to_lake(use_case(), home, None, rebuild)

    told: list[tuple[int, int, int]] = []
    for tracked in (("a",), ("b",), ("a", "price"), ("seen_at",), ()):
        fleet, before = use_case(*tracked), versions(spark, home)
        rows = make_change_plan(fleet, home).tables[0].rows
        done = apply_to_lake(fleet, home, None, rebuild)
        after = versions(spark, home)
        told.append(differing(before, after))
        assert told[-1] == (rows.inserted, rows.deleted, rows.updated)
        assert done.rebuilt == {"items": len(after)}
        assert verify_table(fleet, home.lake, fleet.tables[0]).is_same
        assert not make_change_plan(fleet, home).has_changes
    assert told == [(0, 2, 2), (1, 1, 1), (2, 0, 1), (0, 3, 1), (3, 0, 1)]


def test_a_column_that_comes_back_shows_what_the_log_kept(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home, narrow = Home(tmp_path), use_case(columns=("id", "a", "price"))
    write(spark, use_case(), home, "q", EVENTS[:4])
    apply_to_lake(use_case(), home, None, rebuild)
    apply_to_lake(narrow, home, None, rebuild)
    rebuild(narrow, narrow.tables[:1], home)  # what a repair of the history does: it forgets the column
    before, rows = versions(spark, home), make_change_plan(use_case(), home).tables[0].rows
    apply_to_lake(use_case(), home, None, rebuild)

    assert (rows.inserted, rows.deleted, rows.updated) == (0, 0, 4)
    assert [row for row in before.values() if "x" in row] == []
    assert verify_table(use_case(), home.lake, use_case().tables[0]).is_same


def test_a_column_that_no_event_has_had_yet_is_settled_and_derived_all_the_same(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home, narrow = Home(tmp_path), waiting(use_case(columns=("id", "a", "price")))
    write(spark, narrow, home, "q", EVENTS[:4])
    write(spark, narrow, home, "q-2", EVENTS[:6])

    (report,) = settle_tables(spark, use_case().tables[:1], Locations(use_case(), home.lake))
    assert (report.error, report.changed_versions) == ("", 5)
    assert verify_table(use_case(), home.lake, use_case().tables[0]).is_same
    assert rebuild(use_case(), use_case().tables[:1], home) == {"items": 5}
    assert verify_table(use_case(), home.lake, use_case().tables[0]).is_same


LABEL = {"type": "rename", "column": "a", "params": {"new_name": "label"}}
GROSS = {"type": "map", "column": "gross", "params": {"expression": "{{ price * 2 }}", "to_type": "decimal(12,2)"}}
UNKNOWN = {"type": "default_value", "column": "b", "params": {"value": "?"}}
DEAR = {"type": "filter", "params": {"expression": "{{ price >= 2 }}"}}


def transforming(*transforms: dict[str, Any]) -> UseCase:
    raw = copy.deepcopy(TINY)
    raw["tables"][0]["transforms"] = list(transforms)
    return UseCase.model_validate(raw)


def test_edits_of_transforms_change_the_rows_that_were_told_and_later_events_go_on_from_there(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home, told = Home(tmp_path), []
    steps = [
        (transforming(), EVENTS[:2]),
        (transforming(LABEL, GROSS, UNKNOWN), [*EVENTS[2:5], debezium("c", 9, {"id": 4, "a": "D", "price": "9.00"})]),
        (transforming(UNKNOWN), EVENTS[5:8]),
        (transforming(UNKNOWN, DEAR), [debezium("u", 10, {"id": 4, **A}), debezium("u", 11, {"id": 2, **B})]),
    ]
    for number, (fleet, events) in enumerate(steps):
        before = stored(spark, home, fleet) if number else {}
        plan = make_change_plan(fleet, home).tables[0]
        apply_to_lake(fleet, home, None, rebuild)
        after = stored(spark, home, fleet) if number else {}
        told.append((plan.effect.value, differing(before, after)))
        assert told[-1][1] == (plan.rows.inserted, plan.rows.deleted, plan.rows.updated)
        write(spark, fleet, home, f"q{number}", events, first=10 * number)
        if number == 1:
            rebuild(fleet, fleet.tables[:1], home)  # the history forgets what only the log still has
        assert verify_table(fleet, home.lake, fleet.tables[0]).is_same

    nothing = ("forward only", (0, 0, 0))
    assert told == [nothing, nothing, ("history re-derived", (0, 0, 2)), nothing]
    history = spark.read.format("delta").load(f"{home.lake}/tiny/items").orderBy("id", "_sequence")
    assert [row[0] for row in history.where("id = 1").select("a").collect()] == ["A", "A", None, None]
    assert [row[0] for row in history.where("_is_current").select("id").collect()] == [1]


def stored(spark: SparkSession, home: Home, fleet: UseCase) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The lake's columns of each version that the history has, by key and sequence."""
    history = spark.read.format("delta").load(f"{home.lake}/tiny/items")
    names = fleet.tables[0].lake_shape
    rows = (row.asDict() for row in history.collect())
    return {(row["id"], row["_sequence"]): tuple(row.get(name) for name in names) for row in rows}


def test_a_stream_goes_on_over_a_table_whose_configuration_was_noted(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home = Home(tmp_path)
    write(spark, use_case(columns=("id", "a")), home, "q", EVENTS[:4])
    apply_to_lake(use_case(columns=("id", "a")), home, None, rebuild)
    write(spark, use_case(), home, "q-2", EVENTS, 0)
    apply_to_lake(use_case(), home, None, rebuild)
    write(spark, use_case(), home, "q-3", EVENTS[::-1], 0)

    assert spark.read.format("delta").load(f"{home.lake}/tiny/items__log").count() == len(EVENTS)
    assert verify_table(use_case(), home.lake, use_case().tables[0]).is_same
    assert not make_change_plan(use_case(), home).has_changes


def test_noting_the_configuration_leaves_everything_else_of_a_table_that_spark_made(
    spark: SparkSession, tmp_path: Path, rebuild: Rebuild
) -> None:
    home = Home(tmp_path)
    write(spark, use_case(), home, "q", EVENTS)
    before = [details(spark, f"{home.lake}/tiny/{name}") for name in ("items", "items__log")]
    apply_to_lake(use_case(), home, None, rebuild)
    after = [details(spark, f"{home.lake}/tiny/{name}") for name in ("items", "items__log")]

    assert [properties.pop("fluvial.fingerprint") for *_, properties in after] != []
    assert all(json.loads(properties.pop("fluvial.configuration"))["name"] == "items" for *_, properties in after)
    assert after == before


def details(spark: SparkSession, path: str) -> tuple[Any, ...]:
    """What Delta itself says of a table: identity, schema, protocol, properties."""
    row = spark.sql(f"DESCRIBE DETAIL delta.`{path}`").collect()[0]
    schema = spark.read.format("delta").load(path).schema.json()
    protocol = (row["minReaderVersion"], row["minWriterVersion"], sorted(row["tableFeatures"]))
    return row["id"], row["createdAt"], row["partitionColumns"], row["numFiles"], schema, protocol, row["properties"]
