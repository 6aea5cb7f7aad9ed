"""The pure chain: what each record becomes before anything is written."""

import base64
import json
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from uuid import UUID

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import UseCase
from fluvial.envelope.derived import change_events
from fluvial.micro_batch import check_records
from fluvial.quality.split import carry_batch
from fluvial.streams import KIND, REASON, BatchContext, FreshEvents, Records
from fluvial.transforms.apply import apply_transforms
from tests.spark.records import debezium, dms, records

OUT_OF_TIME = "no commit time, or none of the years 1 to 9999"
GOOD = {"id": 1, "a": "A", "b": "B", "price": "1.50", "seen_at": "2026-01-01T00:00:00.123456Z"}


def test_every_kind_of_record_is_told_apart(spark: SparkSession, tiny: UseCase) -> None:
    values = [
        (debezium("c", 5, GOOD), "event", None),
        (None, "tombstone", None),
        ('{"op": "c", "aft', "dead_letter", "malformed JSON, or a field of the envelope has the wrong type"),
        ("nonsense", "dead_letter", "malformed JSON, or a field of the envelope has the wrong type"),
        ("", "dead_letter", "neither a Debezium nor a DMS envelope"),
        ('{"x": 1}', "dead_letter", "neither a Debezium nor a DMS envelope"),
        ('{"schema": {}, "payload": {"op": "c"}}', "dead_letter", "converter writes schemas: set schemas.enable=false"),
        (b'{"op": "c", "after": {"a": "\xff"}}', "dead_letter", "not valid UTF-8 text"),
        ('{"op": "c", "after": {"a": "\\ud800"}}', "dead_letter", "not valid UTF-8 text"),
        ('{"op": "c", "after": {"a": "\\\\\\ud800"}}', "dead_letter", "not valid UTF-8 text"),
        ('{"op": "c", "after": {"a": "\\\\ud800\\ude00"}}', "dead_letter", "not valid UTF-8 text"),
        (b'{"op": "c", "after": {"a": "\\n\xff"}}', "dead_letter", "not valid UTF-8 text"),
        (b'{"op": "c", "after": {"a": "\xed\xa0\x80"}}', "dead_letter", "not valid UTF-8 text"),
        (debezium("c", 5, GOOD).replace('"A"', '"\u00fc \U0001f600 \ufffd"'), "event", None),
        (debezium("c", 5, GOOD).replace('"A"', '"\u00fc\\n\U0001f600"'), "event", None),
        (debezium("c", 5, GOOD | {"a": "C:\\udev, \\ud800 and \U0001f600"}), "event", None),
        (debezium("d", 6, GOOD | {"a": "\\\\ude00"}), "event", None),
        (debezium("x", 5, GOOD), "dead_letter", "unknown operation"),
        (debezium("c", 0, GOOD), "dead_letter", "no usable source position"),
        (debezium("c", 5, GOOD, ts_us=253_402_300_800_000_000), "dead_letter", OUT_OF_TIME),
        (debezium("c", 5, GOOD, ts_us=None, ts_ms=1_767_225_600_000_000), "dead_letter", OUT_OF_TIME),
        (debezium("c", 5, GOOD, ts_us=None, ts_ms=1_767_225_600_000_000_000), "dead_letter", OUT_OF_TIME),
        (debezium("c", 5, GOOD, ts_us=253_402_300_799_999_999), "event", None),
        (debezium("c", 5, None), "dead_letter", "no row image"),
        (debezium("c", 5, {"a": "A"}), "dead_letter", "primary key missing or unreadable: id"),
        (debezium("c", 5, {"id": "seven"}), "dead_letter", "primary key missing or unreadable: id"),
        (debezium("t", 6), "event", None),
        (debezium("m", 6), "control", None),
        (dms("insert", 5, GOOD), "event", None),
        (json.dumps({"control": {}, "metadata": {"record-type": "control"}}), "control", None),
    ]
    frame = records(spark, [value for value, _, _ in values])
    checked = check_records(Records(frame), tiny.table("items")).orderBy("_offset").select(KIND, REASON)
    assert [tuple(row) for row in checked.collect()] == [(kind, reason) for _, kind, reason in values]


def test_an_event_is_the_same_whatever_columns_are_configured(spark: SparkSession, tiny: UseCase) -> None:
    items = tiny.table("items")
    narrow = items.model_copy(update={"columns": items.columns[:2], "dq_rules": (), "deequ_checks": ()})
    turned = items.model_copy(update={"columns": items.columns[::-1]})
    bytes_ = items.columns[1].model_copy(update={"type": "binary"})
    other = items.model_copy(update={"columns": (items.columns[0], bytes_), "dq_rules": (), "deequ_checks": ()})
    frame = records(
        spark,
        [debezium("c", 5, GOOD), dms("update", 6, GOOD | {"a": "0x00"}), debezium("d", 7, {"id": 1}), debezium("t", 8)],
    )
    hashes = [
        [row[0] for row in check_records(Records(frame), table).orderBy("_offset").select("_payload_hash").collect()]
        for table in (items, narrow, turned, other)
    ]
    assert hashes[0] == hashes[1] == hashes[2] == hashes[3]
    assert len({*hashes[0]}) == 4


def test_a_value_is_told_from_the_same_one_in_another_column(spark: SparkSession, tiny: UseCase) -> None:
    rows = [{"a": "A", "b": None}, {"a": None, "b": "A"}, {"a": "A"}, {"a": "A", "b": ""}, {"a": "b", "b": None}]
    rows += [{"a": None, "b": "b"}]
    frame = records(spark, [debezium("u", 5, {"id": 1} | row) for row in rows])
    checked = check_records(Records(frame), tiny.table("items")).select("_payload_hash")
    assert checked.distinct().count() == 6


def test_a_truncate_has_no_row_whatever_it_says(spark: SparkSession, tiny: UseCase) -> None:
    frame = records(spark, [debezium("t", 6, GOOD), dms("truncate-table", 6, GOOD), dms("Truncate", 7, GOOD)])
    checked = check_records(Records(frame), tiny.table("items")).select(KIND, "_operation", "id", "a", "price")
    assert [tuple(row) for row in checked.collect()] == [("event", "TRUNCATE", None, None, None)] * 3


def test_a_batch_s_identity_keeps_every_character(spark: SparkSession) -> None:
    context = BatchContext('it\'s a \\ "query" of {50} %', 2**40, datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    carried = carry_batch(FreshEvents(spark.range(1).select(F.lit(3).alias("_partition"))), context)
    moment = F.unix_micros("_ingested_at")
    row = carried.select("_partition", "_query_id", "_batch_id", moment).collect()[0]
    assert tuple(row) == (3, 'it\'s a \\ "query" of {50} %', 1099511627776, 1767323045678901)


def test_sequences_come_from_the_source_position_and_snapshot_rows_sort_first(
    spark: SparkSession, tiny: UseCase
) -> None:
    values = [
        debezium("r", 255, GOOD),
        debezium("c", 16, GOOD),
        debezium("r", None, GOOD, snapshot="incremental", sequence='["30","31"]', time=1),  # type: ignore[arg-type]
        dms("load", 9, GOOD),
        dms("UPDATE", 0x7C007178, GOOD),
        debezium("r", 255, GOOD, epoch="1"),
        debezium("c", 16, GOOD, epoch="65535"),
        dms("insert", 5, GOOD | {"fluvial_epoch": "10"}),
        debezium("c", 16, GOOD, epoch="65536"),
        debezium("c", 16, GOOD, epoch="first"),
    ]
    checked = check_records(Records(records(spark, values)), tiny.table("items"))
    assert [row[0] for row in checked.orderBy("_offset").select("_sequence").collect()] == [
        "0000.0.00000000000000FF",
        "0000.1.0000000000000010",
        "0000.1.000000000000001F",
        "0000.0.0006474846A99440",
        "0000.1.000000007C007178.00000001",
        "0001.0.00000000000000FF",
        "FFFF.1.0000000000000010",
        "000A.1.0000000000000005.00000001",
        None,
        None,
    ]


def _update_by_dms(metadata: dict[str, Any]) -> str:
    event = json.loads(dms("update", 5, GOOD))
    event["metadata"] |= metadata
    return json.dumps(event)


def test_the_position_of_dms_is_read_however_its_numbers_are_written(spark: SparkSession, tiny: UseCase) -> None:
    def placed(position: str, record: int | None) -> str:
        return _update_by_dms({"stream-position": position, "transaction-record-id": record})

    values = [
        placed("00000002/7C007178.3.00000002/7C007178", 26),
        placed("00000002/7C007178.3.2/7c007178", None),
        placed("2/7c007178.3.2/7c007178", 4_294_967_295),
        placed("00000002/7c007178.3.00000002/7C007178", 1),
        placed("00000002/C007178.3.00000002/7C007178", 1),
        placed("0000002/7C007178.3.00000002/7C007178", 1),
        placed("00000002/7C007178.3.00000002/7C007178 ", 1),
        placed("000000002/7C007178.3.00000002/7C007178", 1),
        placed("00000002/7C007178.3.00000002/7C00717G", 1),
        placed("00000002/7C007178..00000002/7C007178", 1),
    ]
    checked = check_records(Records(records(spark, values)), tiny.table("items"))
    assert [row[0] for row in checked.orderBy("_offset").select("_sequence").collect()] == [
        "0000.1.000000027C007178.0000001A",
        "0000.1.000000027C007178.00000000",
        "0000.1.000000027C007178.FFFFFFFF",
        "0000.1.000000027C007178.00000001",
        "0000.1.000000020C007178.00000001",
        "0000.1.000000027C007178.00000001",
        None,
        None,
        None,
        None,
    ]


def test_without_a_position_dms_events_stand_by_their_time_and_offset_and_with_a_broken_one_nowhere(
    spark: SparkSession, tiny: UseCase
) -> None:
    def placed(position: str | None) -> str:
        return _update_by_dms({"stream-position": position, "timestamp": "2026-01-01T00:00:09.000000Z"})

    values = [placed(None), placed(None), placed("00000000/5"), placed("5;0/0"), placed("")]
    checked = check_records(Records(records(spark, values, first=254)), tiny.table("items")).orderBy("_offset")
    assert [tuple(row) for row in checked.select("_sequence", REASON).collect()] == [
        ("0000.1.0006474846A99440.0000000000FE", None),
        ("0000.1.0006474846A99440.0000000000FF", None),
        *[(None, "no usable source position")] * 3,
    ]


def test_a_long_list_that_an_update_left_alone_is_not_its_placeholder(spark: SparkSession, tiny: UseCase) -> None:
    placeholder = "__debezium_unavailable_value"
    lists: list[list[Any]] = [
        [placeholder],
        [*placeholder.encode()],
        [str(UUID(bytes=md5(placeholder.encode(), usedforsecurity=False).digest(), version=3))],
        [base64.b64encode(placeholder.encode()).decode()],
        [95, 95],
        [],
    ]
    values = [debezium("u", lsn, GOOD | {"b": each}) for lsn, each in enumerate(lists, 1)]
    checked = check_records(Records(records(spark, values)), tiny.table("items")).orderBy("_offset")
    found = [row[0] for row in checked.select("_not_authored_columns").collect()]
    assert found == [["b"], ["b"], ["b"], ["b"], None, None]


def test_a_delete_without_a_readable_key_is_a_dead_letter(spark: SparkSession, tiny: UseCase) -> None:
    values = [debezium("d", 5, {"id": "seven"}), debezium("d", 6, {"a": "A"}), dms("delete", 7, {"id": None, "a": "A"})]
    checked = check_records(Records(records(spark, values)), tiny.table("items")).select(KIND, REASON)
    assert [tuple(row) for row in checked.collect()] == [("dead_letter", "primary key missing or unreadable: id")] * 3


def test_of_a_key_of_several_columns_those_that_are_missing_are_named(spark: SparkSession, tiny: UseCase) -> None:
    table = tiny.table("items").model_copy(update={"primary_key": ("id", "a", "seen_at")})
    values = [debezium("c", 5, GOOD | {"a": None}), debezium("c", 6, {"id": "seven", "a": "A", "seen_at": "noon"})]
    checked = check_records(Records(records(spark, values)), table).orderBy("_offset").select(REASON)
    assert [row[0] for row in checked.collect()] == [
        "primary key missing or unreadable: a",
        "primary key missing or unreadable: id, seen_at",
    ]


def test_text_becomes_typed_values_and_unreadable_text_a_violation(spark: SparkSession, tiny: UseCase) -> None:
    values = [
        debezium("c", 1, GOOD),
        debezium("c", 2, GOOD | {"seen_at": 1_767_225_600_000_000}),
        debezium("c", 3, GOOD | {"seen_at": 1_767_225_600_000}),
        debezium("c", 4, GOOD | {"price": "a lot"}),
        debezium("c", 5, GOOD | {"price": 3.2, "seen_at": None}),
    ]
    checked = check_records(Records(records(spark, values)), tiny.table("items")).orderBy("_offset")
    found = checked.select(F.col("price").cast("string"), F.col("seen_at").cast("string"), "_violations.rule_id")
    assert [tuple(row) for row in found.collect()] == [
        ("1.50", "2026-01-01 00:00:00.123456", None),
        ("1.50", "2026-01-01 00:00:00", None),
        ("1.50", "2026-01-01 00:00:00", None),
        (None, "2026-01-01 00:00:00.123456", ["schema.type"]),
        ("3.20", None, None),
    ]


def test_a_row_gets_all_its_violations_and_only_errors_quarantine_it(spark: SparkSession, tiny: UseCase) -> None:
    values = [
        debezium("c", 1, GOOD),
        debezium("c", 2, GOOD | {"price": "-0.01", "a": None}),
        debezium("c", 3, GOOD | {"a": "small"}),
        debezium("c", 4, GOOD | {"price": "100.01", "a": "small"}),
        debezium("u", 5, {"id": 1, "b": "B", "price": "5.00"}),
        debezium("u", 6, GOOD | {"a": "__debezium_unavailable_value"}),
        debezium("d", 7, GOOD | {"price": "-5.00", "a": None}),
    ]
    checked = check_records(Records(records(spark, values)), tiny.table("items")).orderBy("_offset")
    found = checked.select("_has_error", "_violations.rule_id", "_not_authored_columns")
    assert [tuple(row) for row in found.collect()] == [
        (False, None, None),
        (True, ["price_range", "a_present"], None),
        (False, ["a_known"], None),
        (True, ["price_range", "a_known"], None),
        (False, None, ["a", "seen_at"]),
        (False, None, ["a"]),
        (False, None, None),
    ]


def test_transforms_run_in_their_order_and_short_values_are_hidden_whole(spark: SparkSession, tiny: UseCase) -> None:
    people = tiny.table("people")
    frame = spark.createDataFrame(
        [(1, "  Ann@X.org ", 1), (2, "abcd", 1), (3, None, 1)], "id int, email string, age int"
    )
    transformed = apply_transforms(frame, people)
    masked = transformed.events.select(transformed.columns["email"].alias("email"))
    assert [row[0] for row in masked.collect()] == ["*****.org", "****", None]


def test_a_changed_part_of_a_composite_key_gives_the_whole_old_key(spark: SparkSession, tiny: UseCase) -> None:
    table = tiny.table("items").model_copy(update={"primary_key": ("id", "a")})
    values = [
        dms("update", 5, GOOD, before={"id": 7}),
        dms("update", 6, GOOD, before={"id": 1, "a": "A"}),
        dms("update", 7, GOOD, before={}),
    ]
    checked = check_records(Records(records(spark, values)), table)
    implied = change_events(checked, table, has_derived=True).where("_is_derived")
    assert [tuple(row) for row in implied.select("_operation", "id", "a").collect()] == [("DELETE", 7, "A")]
