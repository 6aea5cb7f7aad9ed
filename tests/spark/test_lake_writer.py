"""Micro-batches into a real Delta lake: exactly once, in any order, whatever fails in between."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fluvial.config.locations import Locations
from fluvial.config.model import UseCase
from fluvial.errors import StorageError
from fluvial.io.explain import explain_row
from fluvial.io.verify import verify_table
from fluvial.streams import BatchContext, Records, TableCounts
from tests.spark.records import MakeWriter, debezium, dms, records

CANARY = "canary.person@secret.example"


def rows(spark: SparkSession, path: str, *names: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in spark.read.format("delta").load(path).select(*names).collect())


def data_files(lake: Path) -> set[Path]:
    return set(lake.rglob("*.parquet"))


def history(spark: SparkSession, tiny: UseCase, lake: Path, key: int) -> list[str]:
    """Versions of one key as `value[from,to)`, with LSNs."""
    path = Locations(tiny, lake).table(tiny.table("items")).history
    found = spark.read.format("delta").load(path).where(f"id = {key}").orderBy("_sequence")
    lsn = {row["_sequence"]: int(row["_sequence"][-16:], 16) for row in found.collect()}
    ends = {row["_sequence"]: row["_end_sequence"] for row in found.collect()}
    return [
        f"{row['a']}[{lsn[row['_sequence']]},{int(ends[row['_sequence']][-16:], 16) if ends[row['_sequence']] else ''})"
        for row in found.collect()
    ]


def item(key: int, a: str | None, b: str = "b") -> dict[str, object]:
    return {"id": key, "a": a, "b": b, "price": "1.00", "seen_at": None}


def test_late_events_deletes_and_truncates_make_the_versions_of_the_contract(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    first = [
        debezium("c", 5, item(1, "A")),
        debezium("u", 10, item(1, "B")),
        debezium("c", 5, item(2, "A")),
        debezium("d", 10, item(3, "A")),
        debezium("c", 5, item(4, "A")),
        debezium("d", 10, item(4, "A")),
        debezium("d", 12, item(4, "A")),
        debezium("c", 5, item(5, "A")),
        debezium("u", 10, item(5, "B")),
        debezium("c", 5, item(6, "A")),
        debezium("d", 10, item(6, "A")),
        debezium("c", 12, item(6, "A")),
        debezium("u", 7, item(7, "U")),
        debezium("c", 5, item(8, "A", "p")),
        debezium("u", 9, item(8, "Y", "__debezium_unavailable_value")),
        debezium("r", 99, item(9, "S")),
        debezium("u", 6, item(9, "T")),
    ]
    late = [
        debezium("u", 7, item(1, "C")),
        debezium("u", 3, item(2, "A")),
        debezium("u", 5, item(3, "A")),
        debezium("u", 11, item(4, "B")),
        debezium("d", 7, item(5, "A")),
        debezium("u", 7, item(8, "Z", "q")),
    ]
    writer.write(records(spark, first), 0)
    writer.write(records(spark, late, first=100), 1)
    assert {key: history(spark, tiny, lake, key) for key in range(1, 10)} == {
        1: ["A[5,7)", "C[7,10)", "B[10,)"],
        2: ["A[3,5)", "A[5,)"],
        3: ["A[5,10)"],
        4: ["A[5,10)", "B[11,12)"],
        5: ["A[5,7)", "B[10,)"],
        6: ["A[5,10)", "A[12,)"],
        7: ["U[7,)"],
        8: ["A[5,7)", "Z[7,9)", "Y[9,)"],
        9: ["S[99,6)", "T[6,)"],
    }
    path = Locations(tiny, lake).table(tiny.table("items")).history
    assert [row for row in rows(spark, path, "id", "a", "b") if row[0] == 8] == [
        (8, "A", "p"),
        (8, "Y", "q"),
        (8, "Z", "q"),
    ]
    writer.write(records(spark, [debezium("t", 8), debezium("c", 7, item(20, "A"))], first=200), 2)
    assert history(spark, tiny, lake, 20) == ["A[7,8)"]
    assert history(spark, tiny, lake, 1) == ["A[5,7)", "C[7,8)", "B[10,)"]
    assert verify_table(tiny, lake, tiny.table("items")).is_same


def test_a_second_delivery_changes_nothing_and_writes_no_file(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    values = [debezium("c", 5, item(1, "A")), debezium("u", 6, item(1, None)), "broken", None, debezium("t", 9)]
    first = make_writer("query-1").write(records(spark, values), 0)
    before = data_files(lake)
    again = make_writer("query-2").write(records(spark, values), 0)
    elsewhere = make_writer("query-3").write(records(spark, values[:2], first=500), 0)
    assert first == {"items": TableCounts(consumed=5, log_rows=2, quarantined=1, dead_letters=1, tombstones=1)}
    assert again == {"items": TableCounts(consumed=5, tombstones=1, duplicates=4)}
    assert elsewhere == {"items": TableCounts(consumed=2, duplicates=2)}
    assert data_files(lake) == before


def test_an_event_delivered_again_between_late_ones_is_told_from_them(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    writer = make_writer()
    first = [debezium("c", 5, item(1, "A")), debezium("u", 20, item(1, "D"))]
    late = [debezium("u", 9, item(1, "B")), first[1], debezium("u", 12, item(1, "C"))]
    writer.write(records(spark, first), 0)
    assert writer.write(records(spark, late[::2], first=10), 1) == {"items": TableCounts(consumed=2, log_rows=2)}
    assert writer.write(records(spark, late, first=20), 2) == {"items": TableCounts(consumed=3, duplicates=3)}
    assert history(spark, tiny, lake, 1) == ["A[5,9)", "B[9,12)", "C[12,20)", "D[20,)"]


def test_after_a_restart_a_batch_that_repeats_itself_hides_nothing_that_the_log_holds(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    make_writer().write(records(spark, [debezium("c", 5, item(1, "A")), debezium("u", 50, item(1, "B"))]), 0)
    restarted = make_writer()
    restarted.write(records(spark, [debezium("c", 6, item(2, "A"))] * 2, first=10), 1)
    again = restarted.write(records(spark, [debezium("u", 50, item(1, "B"))], first=20), 2)
    assert again == {"items": TableCounts(consumed=1, duplicates=1)}
    assert verify_table(tiny, lake, tiny.table("items")).is_same


def test_a_batch_tried_again_after_a_crash_before_the_history_counts_and_settles_as_if_nothing_had_happened(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    values = [debezium("c", 5, item(1, "A")), debezium("u", 6, item(1, None)), debezium("u", 7, item(1, "C"))]
    crashed, context = make_writer(), BatchContext("query-1", 0, datetime.now().astimezone())
    half = crashed._writers["items"]
    half._append(half.check(Records(records(spark, values)), context), context)
    counts = make_writer().write(records(spark, values), 0)
    assert counts == {"items": TableCounts(consumed=3, log_rows=2, quarantined=1)}
    assert history(spark, tiny, lake, 1) == ["A[5,7)", "C[7,)"]
    assert len(rows(spark, Locations(tiny, lake).table(tiny.table("items")).quarantine, "_sequence")) == 1
    assert verify_table(tiny, lake, tiny.table("items")).is_same


def test_a_table_that_can_not_be_written_stops_no_other_and_loses_nothing(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    blocker = Path(Locations(tiny, lake).table(tiny.table("items")).log)
    blocker.parent.mkdir(parents=True)
    blocker.write_text("not a folder")
    both = records(spark, [debezium("c", 5, item(1, "A"))]).union(
        records(spark, [debezium("c", 5, {"id": 1, "email": "x@y.z", "age": 3})], topic="cdc-people")
    )
    with pytest.raises(StorageError, match="can't write items"):
        make_writer().write(both, 0)
    assert rows(spark, Locations(tiny, lake).table(tiny.table("people")).history, "id", "age") == [(1, 3)]
    blocker.unlink()
    counts = make_writer().write(both, 0)
    assert counts == {"items": TableCounts(consumed=1, log_rows=1), "people": TableCounts(consumed=1, log_rows=1)}


def test_no_masked_value_reaches_any_file(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    values = [
        debezium("c", 5, {"id": 1, "email": CANARY, "age": 3}),
        debezium("c", 6, {"id": 2, "email": CANARY, "age": 900}),
        debezium("c", 7, {"id": 3, "email": CANARY, "age": "many"}),
        '{"op": "c", "after": {"id": 4, "email": "' + CANARY,
        debezium("x", 8, {"id": 5, "email": CANARY, "age": 3}),
        debezium("d", 9, {"id": 1, "email": CANARY, "age": 3}),
    ]
    make_writer().write(records(spark, values, topic="cdc-people"), 0)
    table = Locations(tiny, lake).table(tiny.table("people"))
    assert rows(spark, table.history, "id", "email") == [(1, "*" * 24 + "mple")]
    after_images = [row[0] for row in rows(spark, table.quarantine, "_after_image.email")]
    assert after_images == ["*" * 24 + "mple"] * 2
    text = [
        str(row)
        for path in lake.rglob("_delta_log")
        for row in spark.read.format("delta").load(str(path.parent)).collect()
    ]
    assert not [row for row in text if "canary" in row]


def test_a_dms_key_change_closes_the_old_key_and_opens_the_new_one(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    values = [dms("insert", 5, item(1, "A")), dms("update", 6, item(2, "A"), before={"id": 1})]
    counts = make_writer().write(records(spark, values), 0)
    assert counts == {"items": TableCounts(consumed=2, log_rows=2)}
    path = Locations(tiny, lake).table(tiny.table("items")).history
    found = rows(spark, path, "id", "_is_current", "_end_sequence", "_sequence")
    assert found == [
        (1, False, "0000.1.0000000000000006.00000001", "0000.1.0000000000000005.00000001"),
        (2, True, None, "0000.1.0000000000000006.00000001"),
    ]


def test_records_of_an_unknown_topic_become_dead_letters_without_a_table(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    counts = make_writer().write(records(spark, [debezium("c", 5, item(1, "A"))], topic="cdc-strangers"), 0)
    assert counts == {"(no table)": TableCounts(consumed=1, dead_letters=1)}
    found = rows(spark, Locations(tiny, lake).dead_letters, "topic", "key", "value", "value_bytes")
    assert [row[:3] for row in found] == [("cdc-strangers", None, None)]
    assert isinstance(found[0][3], int)


def test_the_log_says_which_warnings_an_event_breaks_and_a_log_from_before_that_goes_on(
    spark: SparkSession, tiny: UseCase, lake: Path, make_writer: MakeWriter
) -> None:
    table, log = tiny.table("items"), Locations(tiny, lake).table(tiny.table("items")).log
    make_writer().write(records(spark, [debezium("c", 5, item(1, "small"))]), 0)
    forget_column(Path(log), "_warnings")
    assert "_warnings" not in spark.read.format("delta").load(log).columns
    values = [
        debezium("u", 6, item(1, "lower")),
        debezium("u", 7, item(1, "Upper")),
        debezium("u", 8, item(1, "lower") | {"price": "-1.00"}),
        debezium("d", 9, item(1, "lower")),
    ]
    make_writer().write(records(spark, values, first=100), 1)
    found = rows(spark, log, "_sequence", "_is_quarantined", "_warnings")
    assert [row[1:] for row in found if row[0] > "0000.1.0000000000000005"] == [
        (False, ["a_known"]),
        (False, None),
        (True, None),
        (False, None),
    ]
    assert verify_table(tiny, lake, table).is_same
    events = explain_row(tiny, lake, table, "1").events
    assert [told.row["_warnings"] for told in events[1:]] == [["a_known"], None, None, None]


def forget_column(log: Path, name: str) -> None:
    """Makes the log one that was written before it had that column."""
    first = log / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in first.read_text().split("\n") if line]
    for action in actions:
        if metadata := action.get("metaData"):
            schema = json.loads(metadata["schemaString"])
            schema["fields"] = [field for field in schema["fields"] if field["name"] != name]
            metadata["schemaString"] = json.dumps(schema)
    first.write_text("".join(json.dumps(action) + "\n" for action in actions))
    first.with_name(f".{first.name}.crc").unlink(missing_ok=True)
    first.with_suffix(".crc").unlink(missing_ok=True)
