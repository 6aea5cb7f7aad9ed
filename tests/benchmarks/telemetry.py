"""Kafka records of the vehicle_telemetry table, as DMS and as Debezium write them; the same rows in every run.

One event in ten is an update of a row that the batch before has inserted. Everything follows from the event's number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.load import load_use_case
from fluvial.config.model import Table, UseCase
from fluvial.config.placeholders import local_placeholders
from fluvial.envelope.sequence import EPOCH_FIELD
from fluvial.io.events_file import RECORD_SCHEMA

TOPIC: Final = "cdc-vehicle_telemetry"
ENVELOPES: Final = ("dms", "debezium")
FILES_PER_BATCH: Final = 2
_RULES: Final = 5
_START_MICROS: Final = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""


def telemetry_use_case(config: Path) -> UseCase:
    """The shipped use case with this one table, and five of its rules, as the targets are worded."""
    use_case = load_use_case(config, local_placeholders())
    table = use_case.table("vehicle_telemetry")
    return use_case.model_copy(update={"tables": (table.model_copy(update={"dq_rules": table.dq_rules[:_RULES]}),)})


@dataclass(frozen=True)
class Stream:
    """Batches of equal size, generated once into Parquet; every rival reads the same files."""

    session: SparkSession
    folder: Path
    envelope: str
    rows: int
    bad_share: float = 0.0
    has_details: bool = True
    """Whether DMS writes transaction details, as the tasks that Fluvial compiles do."""

    def prepare(self, batches: int) -> "Stream":
        """Writes so many batches."""
        for batch in range(batches):
            self._generate(batch).write.parquet(self._path(batch))
        return self

    def batch(self, number: int) -> DataFrame:
        """Records as Spark's Kafka source gives them."""
        return self.session.read.schema(RECORD_SCHEMA).parquet(self._path(number))

    def bytes_per_event(self) -> float:
        """Mean length of the JSON value."""
        return float(self.batch(0).agg(F.avg(F.length("value"))).collect()[0][0])

    def _path(self, batch: int) -> str:
        return str(self.folder / f"{self.envelope}-{self.bad_share}-{self.rows}" / str(batch))

    def _generate(self, batch: int) -> DataFrame:
        numbers = self.session.range(batch * self.rows, (batch + 1) * self.rows, 1, FILES_PER_BATCH)
        is_update = (F.col("id") % 10 == 0) & (F.lit(batch) > 0)
        row_number = F.when(is_update, F.col("id") - self.rows + 1).otherwise(F.col("id"))
        row = F.struct(*(value.alias(name) for name, value in telemetry(row_number, self.bad_share).items()))
        described = numbers.select("id", row.alias("row"), is_update.alias("is_update"))
        value = self._dms() if self.envelope == "dms" else debezium_value()
        key = F.struct(F.col("row.vehicle_id"), F.col("row.recorded_at"))
        return described.select(
            F.to_json(key).cast("binary").alias("key"),
            F.to_json(value, {"ignoreNullFields": "false"}).cast("binary").alias("value"),
            F.lit(TOPIC).alias("topic"),
            (F.col("id") % FILES_PER_BATCH).cast("int").alias("partition"),
            F.col("id").alias("offset"),
            F.timestamp_micros(_micros()).alias("timestamp"),
        )

    def _dms(self) -> Column:
        return dms_value(has_details=self.has_details)


def telemetry(number: Column, bad_share: float) -> Mapping[str, Column]:
    """One row, as JSON values; a bad one has an impossible latitude.

    Decimals are texts, as the captures that Fluvial compiles write them: a JSON number would pass through a double.
    """

    def any_of(salt: int, values: int) -> Column:
        return F.pmod(F.xxhash64("id", F.lit(salt)), F.lit(values))

    def decimal(value: Column, size: str) -> Column:
        return value.cast(f"decimal({size})").cast("string")

    is_bad = any_of(0, 10_000) < int(bad_share * 10_000)
    latitude = decimal(any_of(1, 20_000_000) / 1e6 + 40, "9,6")
    return {
        "vehicle_id": F.format_string("V-%08d", F.pmod(number, F.lit(5_000))),
        "recorded_at": _iso(F.timestamp_micros(number * 250_000 + _START_MICROS)),
        "latitude": F.when(is_bad, "123.400000").otherwise(latitude),
        "longitude": decimal(any_of(2, 30_000_000) / 1e6 - 10, "9,6"),
        "speed_kmh": decimal(any_of(3, 130_000) / 1e3, "7,3"),
        "engine_temp_c": any_of(4, 60_000) / 1e3 + 60,
        "fuel_level_pct": decimal(any_of(5, 100_000) / 1e3, "6,3"),
        "tyre_pressure_kpa": decimal(any_of(6, 8_000) / 1e2 + 200, "6,2"),
        "odometer_km": decimal(any_of(7, 9_000_000) / 1e1, "10,1"),
        "ignition_on": any_of(8, 10) > 0,
        "fault_code": F.when(any_of(9, 50) == 0, F.format_string("P%04d", any_of(10, 10_000))),
    }


def dms_value(*, has_details: bool) -> Column:
    """`{data, metadata}`; the task stamps its epoch into the row."""
    details = {
        "transaction-id": F.col("id") + 700,
        "transaction-record-id": F.lit(1),
        "prev-transaction-id": F.col("id") + 699,
        "prev-transaction-record-id": F.lit(1),
        "commit-timestamp": _iso(F.timestamp_micros(_micros())),
        "stream-position": F.format_string("%08X/%08X.3.%08X/%08X", *([F.lit(2), F.col("id") + 4096] * 2)),
    }
    metadata = {
        "timestamp": _iso(F.timestamp_micros(_micros() + 1_500)),
        "record-type": F.lit("data"),
        "operation": F.when(F.col("is_update"), "update").otherwise("insert"),
        "partition-key-type": F.lit("schema-table"),
        "schema-name": F.lit("public"),
        "table-name": F.lit("vehicle_telemetry"),
    } | (details if has_details else {})
    data = F.struct("row.*", F.lit("0000").alias(EPOCH_FIELD))
    return F.struct(data.alias("data"), _struct(metadata).alias("metadata"))


def debezium_value() -> Column:
    """`{before, after, source, op, ts_ms}`, without schemas."""
    millis = (_micros() / 1000).cast("bigint")
    lsn = F.col("id") * 8 + 24_023_128
    source = {
        "version": F.lit("3.6.1.Final"),
        "connector": F.lit("postgresql"),
        "name": F.lit("fleet"),
        "ts_ms": millis,
        "snapshot": F.lit("false"),
        "db": F.lit("vehicle_telemetry"),
        "sequence": F.format_string('["%d","%d"]', lsn - 8, lsn),
        "ts_us": _micros(),
        "ts_ns": _micros() * 1000,
        "schema": F.lit("public"),
        "table": F.lit("vehicle_telemetry"),
        "txId": F.col("id") + 700,
        "lsn": lsn,
        "xmin": F.lit(None).cast("bigint"),
    }
    operation = F.when(F.col("is_update"), "u").otherwise("c")
    nothing = F.lit(None).cast("string")
    return _struct(
        {
            "before": nothing,
            "after": F.col("row"),
            "source": _struct(source),
            "transaction": nothing,
            "op": operation,
            "ts_ms": millis + 2,
        }
    )


def _micros() -> Column:
    return F.col("id") * 250 + _START_MICROS


def _iso(time: Column) -> Column:
    return F.date_format(time, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")


def _struct(fields: Mapping[str, Column]) -> Column:
    return F.struct(*(value.alias(name) for name, value in fields.items()))


def only_table(use_case: UseCase) -> Table:
    """The one table of the benchmark's use case."""
    (table,) = use_case.tables
    return table
