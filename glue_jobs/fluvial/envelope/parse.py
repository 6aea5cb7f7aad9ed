"""`parse_envelope`: Kafka records of one topic into ParsedRecords, both envelopes in one pass and one `from_json`."""

import operator
from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.envelope import debezium, dms
from fluvial.envelope.reasons import (
    ENVELOPE_REASON,
    HAS_IMAGE,
    IS_CONTROL,
    IS_NOT_TEXT,
    IS_TOMBSTONE,
    envelope_reason,
    is_not_text,
    record_kind,
    rejection_reason,
)
from fluvial.envelope.schema import CORRUPT, ENVELOPE_SCHEMA, exact_schema, long_number, wide_decimals
from fluvial.envelope.values import is_unavailable, read_value
from fluvial.seldom import seldom
from fluvial.streams import (
    EVENT,
    FINGERPRINT,
    IMAGE,
    KAFKA_TIMESTAMP,
    KIND,
    PREVIOUS_KEY,
    RAW_KEY,
    RAW_VALUE,
    REASON,
    SNAPSHOT_END,
    UNREADABLE,
    ParsedRecords,
    Records,
)

_PARSED: Final = "_parsed"
_EXACT: Final = "_exact"
_ROW_HASH: Final = "_row_hash"
_DMS_ROW: Final = "_dms_row"
_DMS_BEFORE: Final = "_dms_before"
_TEXT: Final = "_text_"
_RECORD: Final = (RAW_KEY, RAW_VALUE, IS_TOMBSTONE, c.TOPIC, c.PARTITION, c.OFFSET, KAFKA_TIMESTAMP)
_PLACE: Final = (*c.POSITION, KAFKA_TIMESTAMP, SNAPSHOT_END)
"""What is copied from level to level as it is."""
_BETWEEN: Final = "\x00"
_ABSENT: Final = "\x01"
"""Stand between values and for NULL in the hash of a row."""
_ANY_LENGTH: Final = {"maxStringLen": str(2**31 - 1)}
"""Jackson, which Spark reads JSON with, gives up at a text of twenty million characters."""
_UPSERTS: Final = (c.INSERT, c.UPDATE, c.READ)


def parse_envelope(records: Records, table: Table) -> ParsedRecords:
    """One row for each record, with its kind, its position and its typed columns; a dead letter keeps its reason.

    Each level computes once what the next ones use several times; Spark keeps such levels apart. Copying the columns
    from level to level costs more than most of what a level computes: there are as few as can be.
    """
    parsed = records.select(*_record_columns(), _parsed_value().alias(_PARSED), *_exact_numbers(table))
    opened = parsed.select("*", *_dms_images(table))
    placed = opened.select(*_RECORD, *_event_columns(F.col(_PARSED), table))
    typed = placed.select("*", *typed_columns(table), not_authored(table).alias(c.NOT_AUTHORED))
    return ParsedRecords(typed.select(*_output_columns(table)))


def _parsed_value() -> Column:
    options = {"columnNameOfCorruptRecord": CORRUPT, **_ANY_LENGTH}
    return F.from_json(F.col("value").cast("string"), ENVELOPE_SCHEMA, options)


def _exact_numbers(table: Table) -> list[Column]:
    """Wide decimals once more, for the few records that hold one as a long JSON number."""
    if not wide_decimals(table):
        return []
    value = F.col("value").cast("string")
    return [F.when(value.rlike(long_number(table)), F.from_json(value, exact_schema(table), _ANY_LENGTH)).alias(_EXACT)]


def _record_columns() -> list[Column]:
    """Key and value as texts, whatever bytes they are: Spark copies bytes each time it looks at them.

    What has to be told of the value itself is told here: few records' values are needed any further.
    """
    value = F.col("value").cast("string")
    return [
        F.col("key").cast("string").alias(RAW_KEY),
        value.alias(RAW_VALUE),
        value.isNull().alias(IS_TOMBSTONE),
        is_not_text(value).alias(IS_NOT_TEXT),
        F.col("timestamp").alias(KAFKA_TIMESTAMP),
        F.col("topic").alias(c.TOPIC),
        F.col("partition").alias(c.PARTITION),
        F.col("offset").alias(c.OFFSET),
    ]


def _event_columns(parsed: Column, table: Table) -> list[Column]:
    is_debezium = debezium.is_debezium(parsed)

    def either(first: Column, second: Column) -> Column:
        """Without metadata nothing that DMS says is there."""
        return F.when(is_debezium, first).otherwise(second)

    is_truncate = F.coalesce(*(each.is_operation(parsed, c.TRUNCATE) for each in (debezium, dms)))
    image = either(debezium.image(parsed), dms.image(parsed, F.col(_DMS_ROW)))
    is_update_by_dms = ~is_debezium & dms.is_operation(parsed, c.UPDATE)
    return [
        _envelope_reason(parsed).alias(ENVELOPE_REASON),
        F.coalesce(either(debezium.is_control(parsed), dms.is_control(parsed)), F.lit(False)).alias(IS_CONTROL),
        either(debezium.operation(parsed), dms.operation(parsed)).alias(c.OPERATION),
        image.alias(IMAGE),
        image.isNotNull().alias(HAS_IMAGE),
        *text_columns(table, image, F.when(~is_truncate, F.col(RAW_KEY))),
        F.when(is_update_by_dms, _changed_key(table, F.col(_DMS_BEFORE), F.col(_DMS_ROW))).alias(PREVIOUS_KEY),
        F.coalesce(is_debezium & debezium.ends_snapshot(parsed), F.lit(False)).alias(SNAPSHOT_END),
        either(debezium.event_sequence(parsed), dms.event_sequence(parsed, F.col(c.OFFSET))).alias(c.SEQUENCE),
        either(debezium.commit_time(parsed), dms.commit_time(parsed)).alias(c.COMMIT_TIME),
        _row_hash(either(debezium.image(parsed), parsed["data"])).alias(_ROW_HASH),
        either(debezium.source_position(parsed), dms.source_position(parsed)).alias(c.SOURCE_POSITION),
    ]


def _envelope_reason(parsed: Column) -> Column:
    has_envelope = F.coalesce(debezium.is_debezium(parsed) | dms.is_dms(parsed), F.lit(False))
    return envelope_reason(parsed[CORRUPT].isNotNull(), parsed["payload"].isNotNull(), has_envelope)


def _dms_images(table: Table) -> list[Column]:
    """The row of a DMS event and the row before it, for all columns at once.

    Of most tables they are as DMS writes them, and Spark doesn't keep the level; rewriting bytes and wide decimals has
    one of its own.
    """
    binary = [column.name for column in table.columns if column.type == "binary"]

    def image(name: str) -> Column:
        numbers = {column: F.col(_EXACT)[name][column] for column in wide_decimals(table)}
        return dms.written_row(F.col(_PARSED)[name], binary, numbers)

    return [image("data").alias(_DMS_ROW), image("before-image").alias(_DMS_BEFORE)]


def text_columns(table: Table, image: Column, record_key: Column) -> list[Column]:
    """The raw text of every business column, from the row image; of a key column it lacks, from the record's key."""

    def text(name: str) -> Column:
        if name not in table.primary_key:
            return image[name]
        return F.coalesce(image[name], F.get_json_object(record_key, f"$.{name}"))

    return [text(name).alias(_text_name(name)) for name in table.column_names]


def _text_name(column: str) -> str:
    return f"{_TEXT}{column}"


def typed_columns(table: Table) -> list[Column]:
    """Every business column, typed from its text."""
    return [read_value(F.col(_text_name(column.name)), column.type).alias(column.name) for column in table.columns]


def not_authored(table: Table, told_otherwise: Mapping[str, Column] = MappingProxyType({})) -> Column:
    """Columns this event says nothing about: unchanged TOAST, or absent from an update or a snapshot row.

    An INSERT authors every column: what it leaves out is NULL. `told_otherwise` are conditions for columns whose texts
    don't tell it.
    """
    conditions = {name: told_otherwise.get(name, is_unauthored(name)) for name in table.value_columns}
    return _names_where(F.col(c.OPERATION).isin(*_UPSERTS), conditions)


def is_unauthored(name: str) -> Column:
    """Whether an upsert says nothing about the column, by its text."""
    text, may_be_partial = F.col(_text_name(name)), F.col(c.OPERATION).isin(c.UPDATE, c.READ)
    absent = may_be_partial & ~F.map_contains_key(F.col(IMAGE), name)
    return F.when(text.isNull(), absent).otherwise(is_unavailable(text))


def unreadable_columns(table: Table) -> Column:
    """Columns of an upsert whose text can't be read as their type."""

    def failed(name: str) -> Column:
        text = F.col(_text_name(name))
        return F.col(name).isNull() & text.isNotNull() & seldom(~is_unavailable(text))

    is_upsert = F.col(c.OPERATION).isin(*_UPSERTS)
    typed = [column.name for column in table.columns if column.type != "string"]
    return _names_where(is_upsert, {name: failed(name) for name in typed})


def _names_where(applies: Column, conditions: dict[str, Column]) -> Column:
    """The names whose condition holds, NULL where none does: the array is built only for the few rows that need it."""
    if not conditions:
        return F.lit(None).cast("array<string>")
    some = applies & reduce(operator.or_, conditions.values())
    names = F.array(*(F.when(condition, F.lit(name)) for name, condition in conditions.items()))
    return F.when(some, F.array_compact(names))


def _row_hash(sent: Column) -> Column:
    """64 bits over the row as it was sent, whatever columns are configured.

    So what comes again after these changed is the same event. With the commit time it is the payload hash, which tells
    a redelivery from a conflict at one position. Of the names only the number counts, which costs half as much: two
    rows of one position and key have the same.
    """
    return F.xxhash64(F.size(sent), F.array_join(F.map_values(sent), _BETWEEN, _ABSENT))


def _output_columns(table: Table) -> list[Column]:
    """All but the texts, which nothing needs after these."""
    kept = (*_PLACE, c.NOT_AUTHORED, IMAGE, PREVIOUS_KEY, *table.column_names)
    reason = rejection_reason(table.primary_key)
    kind = record_kind(reason)
    return [
        kind.alias(KIND),
        *(F.col(name) for name in kept),
        reason.alias(REASON),
        F.xxhash64(_ROW_HASH, c.COMMIT_TIME).alias(c.PAYLOAD_HASH),
        _fingerprint(table, kind).alias(FINGERPRINT),
        unreadable_columns(table).alias(UNREADABLE),
        *(F.when(reason.isNotNull(), F.col(name)).cast("binary").alias(name) for name in (RAW_KEY, RAW_VALUE)),
    ]


def _fingerprint(table: Table, kind: Column) -> Column:
    """NULL for a record that is no event."""
    return F.when(kind == EVENT, F.xxhash64(*table.primary_key, c.SEQUENCE, c.OPERATION, _ROW_HASH, c.COMMIT_TIME))


def _changed_key(table: Table, before: Column, after: Column) -> Column:
    """The old key, as texts, where a DMS update changed the primary key, else NULL.

    A key column that the before-image leaves out did not change.
    """
    differs = reduce(operator.or_, (before[name] != after[name] for name in table.primary_key))
    old_key = F.struct(*(F.coalesce(before[name], after[name]).alias(name) for name in table.primary_key))
    return F.when(F.coalesce(differs, F.lit(False)), old_key)
