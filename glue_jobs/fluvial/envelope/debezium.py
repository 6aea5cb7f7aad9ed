"""Debezium's envelope: `{before, after, source, op}`, read as Columns over the parsed struct.

Source: https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
"""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.columns import DELETE, INSERT, READ, TRUNCATE, UPDATE
from fluvial.envelope.operations import operation_of
from fluvial.envelope.sequence import EPOCH_FIELD, epoch_digits, lsn_number, sequence
from fluvial.envelope.values import within_years

_OPERATIONS: Final = {INSERT: "c", UPDATE: "u", DELETE: "d", READ: "r", TRUNCATE: "t"}
_MESSAGE: Final = "m"
_SNAPSHOT_ENDS: Final = ("last", "last_in_data_collection")
_LONGEST_MILLIS: Final = 2**62 // 1000
"""As microseconds they are a number still."""
_LAST_OF_SEQUENCE: Final = r'"(\d+)"\s*\]\s*$'


def is_debezium(parsed: Column) -> Column:
    """Whether the record has this envelope."""
    return parsed["op"].isNotNull()


def is_control(parsed: Column) -> Column:
    """A logical decoding message carries no row."""
    return parsed["op"] == _MESSAGE


def operation(parsed: Column) -> Column:
    """The operation; null where `op` is none of the known letters."""
    return operation_of(parsed["op"], {letter: known for known, letter in _OPERATIONS.items()})


def is_operation(parsed: Column, known: str) -> Column:
    """Whether it is that one."""
    return parsed["op"] == _OPERATIONS[known]


def image(parsed: Column) -> Column:
    """The row the event speaks of: before a delete, after anything else. A truncate has none, whatever it says."""
    is_delete, is_truncate = (is_operation(parsed, known) for known in (DELETE, TRUNCATE))
    return F.when(is_delete, parsed["before"]).when(~is_truncate, parsed["after"])


def event_sequence(parsed: Column) -> Column:
    """Rows of the initial snapshot first, then by LSN.

    An incremental-snapshot row has no LSN of its own: it stands where the stream stood when it was read, which its
    `source.sequence` tells.
    """
    source = parsed["source"]
    is_snapshot = is_operation(parsed, READ) & (source["snapshot"] != "incremental") & (source["snapshot"] != "false")
    streamed_up_to = F.regexp_extract(source["sequence"], _LAST_OF_SEQUENCE, 1).cast("bigint")
    lsn = F.coalesce(source["lsn"], F.when(source["snapshot"] == "incremental", streamed_up_to))
    return sequence(epoch_digits(parsed[EPOCH_FIELD]), F.coalesce(is_snapshot, F.lit(False)), lsn_number(lsn))


def ends_snapshot(parsed: Column) -> Column:
    """Whether this is the last row that a complete snapshot of the table read.

    A first table of one row has `first` instead, which is why the connector's first table is one of Fluvial's own.
    """
    return is_operation(parsed, READ) & parsed["source"]["snapshot"].isin(*_SNAPSHOT_ENDS)


def commit_time(parsed: Column) -> Column:
    """Commit time in UTC, microseconds; older connectors give milliseconds only. Null outside the years 1 to 9999."""
    source = parsed["source"]
    millis = F.when(source["ts_ms"].between(-_LONGEST_MILLIS, _LONGEST_MILLIS), source["ts_ms"])
    return within_years(F.timestamp_micros(F.coalesce(source["ts_us"], millis * 1000)), "timestamp")


def source_position(parsed: Column) -> Column:
    """LSN and transaction as the connector wrote them, for people."""
    source = parsed["source"]
    return F.concat(F.lit("lsn="), source["lsn"], F.coalesce(F.concat(F.lit(" tx="), source["txId"]), F.lit("")))
