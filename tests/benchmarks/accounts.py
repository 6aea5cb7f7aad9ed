"""The table of `scd2_growth`: its change events as Debezium writes them, and the lake that long ago's events left.

Event number i is one change of one key; everything else follows from i. The first `keys` events insert every key once,
the next `keys * history` change them, and the measured batches begin behind those.
"""

from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import UseCase

TOPIC: Final = "cdc-accounts"
FIRST_LSN: Final = 16_777_216
LSN_STEP: Final = 8
FIRST_MICROS: Final = 1_767_225_600_000_000
MICROS_STEP: Final = 10_000
LATE_BY: Final = 10_000
"""A late event stands this many events before the place where it arrives."""

ACCOUNTS: Final[dict[str, Any]] = {
    "name": "accounts",
    "settings": {
        "checkpoint_location": "s3://accounts/checkpoint",
        "quarantine_path": "s3://accounts/quarantine",
        "delta_bucket": "s3://accounts",
    },
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
    "tables": [
        {
            "name": "accounts",
            "primary_key": "id",
            "schema": [
                {"name": "id", "type": "bigint"},
                {"name": "holder", "type": "string"},
                {"name": "city", "type": "string"},
                {"name": "status", "type": "string"},
                {"name": "balance", "type": "decimal(12,2)"},
                {"name": "rate", "type": "double"},
                {"name": "opened_at", "type": "timestamp"},
                {"name": "note", "type": "string"},
            ],
            "dq_rules": [
                {"id": "balance", "type": "range", "column": "balance", "params": {"min": 0, "max": 900000}},
                {"id": "rate", "type": "range", "column": "rate", "params": {"min": 0, "max": 1}},
            ],
            "deequ_checks": [
                {"metric": "size", "threshold": 1},
                {"metric": "completeness", "column": "holder", "threshold": 0.99},
                {"metric": "uniqueness", "column": "id", "threshold": 0.5},
                {"metric": "compliance", "column": "balance", "threshold": 0.99},
            ],
        }
    ],
}


def accounts_use_case() -> UseCase:
    """One table, no transform."""
    return UseCase.model_validate(ACCOUNTS)


@dataclass(frozen=True)
class Life:
    """How many keys there are, how often they have changed, and whether a few of them get most of the changes."""

    keys: int
    history: int
    is_skewed: bool = False

    @property
    def past_events(self) -> int:
        """Events before the first measured batch."""
        return self.keys * (1 + self.history)

    @property
    def name(self) -> str:
        """For folders and reports."""
        return f"{self.keys} keys, {self.history}x{', skewed' if self.is_skewed else ''}"

    def key(self) -> Column:
        """The key of event `id`; skewed: a twentieth of the keys gets more than a third of the changes."""
        drawn = F.pmod(F.xxhash64("id"), F.lit(1_000_000)) / 1e6
        place = drawn * drawn * drawn if self.is_skewed else drawn
        return F.when(F.col("id") < self.keys, F.col("id")).otherwise(F.floor(place * self.keys)).cast("bigint")


def values() -> dict[str, Column]:
    """The columns beside the key."""

    def any_of(salt: int, count: int) -> Column:
        return F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(count))

    return {
        "holder": F.format_string("Holder %06d", any_of(1, 400_000)),
        "city": F.format_string("City %03d", any_of(2, 500)),
        "status": F.element_at(F.array(*map(F.lit, ("open", "frozen", "closing"))), (any_of(3, 3) + 1).cast("int")),
        "balance": (any_of(4, 80_000_000) / 100).cast("decimal(12,2)"),
        "rate": any_of(5, 10_000) / 1e4,
        "opened_at": F.timestamp_micros(F.lit(FIRST_MICROS) - any_of(6, 1_000_000) * 1_000_000),
        "note": F.md5(F.col("id").cast("string")),
    }


def lsn(place: Column) -> Column:
    """Where an event stands in the source's log."""
    return (place * LSN_STEP + FIRST_LSN).cast("bigint")


def sequence(place: Column) -> Column:
    """Its sequence, as Fluvial derives it from the LSN; NULL for none."""
    return F.concat(F.lit("0000.1."), F.lpad(F.hex(lsn(place)), 16, "0"))


def commit_time(place: Column) -> Column:
    """When the source committed it."""
    return F.timestamp_micros(_micros(place))


def past_records(session: SparkSession, life: Life) -> DataFrame:
    """Every event before the first measured batch: inserts, then updates, in their order."""
    numbers = session.range(0, life.past_events, 1, max(2, life.past_events // 100_000))
    operation = F.when(F.col("id") < life.keys, "c").otherwise("u")
    return _records(numbers.select("id", F.col("id").alias("place"), operation.alias("op")), life)


def batch_records(session: SparkSession, life: Life, batch: int, rows: int) -> DataFrame:
    """One measured micro-batch: updates, 5 % deletes, 1 % that stand earlier than what was settled before."""
    first = life.past_events + batch * rows
    dice = F.pmod(F.xxhash64("id", F.lit(99)), F.lit(100))
    operation = F.when(dice < 5, "d").otherwise("u")
    late_place = F.col("id") - LATE_BY + 0.5
    place = F.when((dice == 50) & (F.lit(first) > LATE_BY), late_place).otherwise(F.col("id"))
    return _records(
        session.range(first, first + rows, 1, 2).select("id", place.alias("place"), operation.alias("op")), life
    )


def _records(events: DataFrame, life: Life) -> DataFrame:
    written = values() | {"balance": values()["balance"].cast("string")}  # as the captures write decimals
    row = F.struct(life.key().alias("id"), *(column.alias(name) for name, column in written.items()))
    described = events.select("*", row.alias("row"), (F.col("op") == "d").alias("is_delete"))
    return described.select(
        F.to_json(F.struct("row.id")).cast("binary").alias("key"),
        F.to_json(_envelope()).cast("binary").alias("value"),
        F.lit(TOPIC).alias("topic"),
        F.lit(0).alias("partition"),
        F.col("id").alias("offset"),
        commit_time(F.col("id")).alias("timestamp"),
    )


def _envelope() -> Column:
    micros = _micros(F.col("place"))
    source = F.struct(
        micros.alias("ts_us"),
        (micros / 1000).cast("bigint").alias("ts_ms"),
        F.lit("false").alias("snapshot"),
        (F.col("id") + 7).alias("txId"),
        lsn(F.col("place")).alias("lsn"),
    )
    return F.struct(
        F.when(F.col("is_delete"), F.col("row")).alias("before"),
        F.when(~F.col("is_delete"), F.col("row")).alias("after"),
        source.alias("source"),
        F.col("op").alias("op"),
        (micros / 1000).cast("bigint").alias("ts_ms"),
    )


def _micros(place: Column) -> Column:
    return (place * MICROS_STEP + FIRST_MICROS).cast("bigint")
