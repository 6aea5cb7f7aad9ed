"""Fresh events into the two places they go: quarantine rows, and log rows with a gap marker for each of those."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.streams import (
    DEAD_LETTER,
    HAS_ERROR,
    KAFKA_TIMESTAMP,
    KIND,
    RAW_KEY,
    RAW_VALUE,
    REASON,
    BatchContext,
    CheckedRecords,
    DeadLetters,
    FreshEvents,
    LogRows,
    Quarantined,
    Records,
)


def carry_batch(events: FreshEvents, batch: BatchContext) -> FreshEvents:
    """The events, each with the batch that brings it: as columns, so that what is planned behind serves every batch.

    As SQL, since each part of a Column is a call into the JVM.
    """
    columns = (f"{_uncompiled(value)} AS {name}" for name, value in batch_values(batch).items())
    return FreshEvents(events.selectExpr("*", *columns))


def batch_values(batch: BatchContext) -> dict[str, str]:
    """What each row says of its batch: by column, a literal of Spark's SQL."""
    return {
        c.QUERY_ID: _text(batch.query_id),
        c.BATCH_ID: f"{batch.batch_id}L",
        c.INGESTED_AT: f"TIMESTAMP '{batch.processed_at.isoformat()}'",
    }


def _text(value: str) -> str:
    """As Spark reads it, which joins two texts where other dialects see a quote."""
    escaped = value.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"


def _uncompiled(value: str) -> str:
    """The value, found in an array at a place that Spark can't know, which so is no part of anything else.

    Numbers and times would be generated code, and the JVM compile the classes of a large batch anew for each batch.
    """
    return f"get(array({value}), least({c.PARTITION}, 0))"


def quarantine_rows(events: FreshEvents, masked: Mapping[str, Column], after_image: Column) -> Quarantined:
    """The events that break an `error` rule, with all their violations and what a replay needs, masked."""
    return Quarantined(
        events.where(HAS_ERROR).select(
            *(column.alias(name) for name, column in masked.items()),
            c.VIOLATIONS,
            F.transform(c.VIOLATIONS, lambda violation: violation["rule_id"]).alias(c.FAILED_RULES),
            after_image.alias(c.AFTER_IMAGE),
            *c.POSITION,
            F.col(c.INGESTED_AT).alias(c.QUARANTINED_AT),
        )
    )


def log_rows(events: FreshEvents, transformed: Mapping[str, Column], not_authored: Column, table: Table) -> LogRows:
    """One row for each event; a quarantined one keeps its key and position and none of its values.

    `transformed` and `not_authored` speak of the columns of the lake.
    """

    def value(name: str, column: Column) -> Column:
        kept = column if name in table.primary_key else F.when(~F.col(HAS_ERROR), column)
        return kept.alias(name)

    return LogRows(
        events.select(
            *(value(name, column) for name, column in transformed.items()),
            c.SEQUENCE,
            c.OPERATION,
            c.COMMIT_TIME,
            F.col(HAS_ERROR).alias(c.IS_QUARANTINED),
            not_authored.alias(c.NOT_AUTHORED),
            _warnings(table).alias(c.WARNINGS),
            c.PAYLOAD_HASH,
            c.SOURCE_POSITION,
            c.TOPIC,
            c.PARTITION,
            c.OFFSET,
            c.QUERY_ID,
            c.BATCH_ID,
            c.INGESTED_AT,
        )
    )


def _warnings(table: Table) -> Column:
    """Ids of the rules that a valid event breaks: all of severity `warning`, else it wouldn't be valid."""
    if all(rule.severity == "error" for rule in table.dq_rules):
        return F.lit(None).cast("array<string>")
    return F.when(~F.col(HAS_ERROR), F.col(c.VIOLATIONS)["rule_id"])


def dead_letter_rows(records: CheckedRecords, table_name: str, withhold: bool, batch: BatchContext) -> DeadLetters:
    """Records that can't be change events; with `withhold`, a fingerprint stands for bytes that may hold personal data.

    A withheld value stays in the topic at its offset for as long as the topic retains it.
    """
    dead = records.where(F.col(KIND) == DEAD_LETTER)
    value = F.lit(None).cast("binary") if withhold else F.col(RAW_VALUE)
    position = [F.col(name) for name in (c.TOPIC, c.PARTITION, c.OFFSET, KAFKA_TIMESTAMP, RAW_KEY)]
    return _dead_letters(dead, F.lit(table_name), F.col(REASON), position, (value, F.col(RAW_VALUE)), batch)


def unrouted_rows(records: Records, batch: BatchContext) -> DeadLetters:
    """Records of topics that no table claims; their bytes are withheld, because no table says what they may hold."""
    nothing = F.lit(None).cast("binary")
    position = [*(F.col(name) for name in ("topic", "partition", "offset", "timestamp")), nothing]
    reason = F.lit("no table of tables.yaml has this topic")
    values = (nothing, F.col("value"))
    return _dead_letters(records, F.lit(None).cast("string"), reason, position, values, batch)


def _dead_letters(
    records: DataFrame,
    table: Column,
    reason: Column,
    position: Sequence[Column],
    values: tuple[Column, Column],
    batch: BatchContext,
) -> DeadLetters:
    """`position`: topic, partition, offset, timestamp, key; `values`: what is stored, what is fingerprinted."""
    names = ("topic", "partition", "offset", "kafka_timestamp", "key")
    stored, raw = values
    return DeadLetters(
        records.select(
            table.alias("table"),
            reason.alias("reason"),
            *(column.alias(name) for name, column in zip(names, position, strict=True)),
            stored.alias("value"),
            F.sha2(F.coalesce(raw, F.lit(b"")), 256).alias("value_sha256"),
            F.octet_length(raw).cast("bigint").alias("value_bytes"),
            F.lit(batch.query_id).alias("query_id"),
            F.lit(batch.batch_id).cast("bigint").alias("batch_id"),
            F.lit(batch.processed_at).alias("dead_lettered_at"),
        )
    )
