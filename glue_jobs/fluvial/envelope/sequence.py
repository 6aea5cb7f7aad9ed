"""Sequences as text that sorts bytewise: `<epoch>.<0 snapshot | 1 streamed>.<position>`.

Snapshot rows come first: the position a snapshot row carries is an upper bound, so a streamed change with a lower
position can still be newer than the row. The epoch is the capture's generation: all of a new replication slot, its
snapshot and its stream, sorts behind everything that an older slot sent.
"""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

EPOCH_FIELD: Final = "fluvial_epoch"
"""Where the capture stamps its generation into an event: beside `op` for Debezium, in `data` for DMS."""

_FIRST_EPOCH: Final = "0000"
_EPOCH_DIGITS: Final = 4
_MOST_EPOCHS: Final = 16**_EPOCH_DIGITS
HALF_DIGITS: Final = 8
"""Of an LSN, on each side of the slash in PostgreSQL's notation."""


def sequence(epoch: Column, is_snapshot: Column, position: Column) -> Column:
    """The sequence of an event; null where the position or the epoch is."""
    rank = F.when(is_snapshot, F.lit(".0.")).otherwise(F.lit(".1."))
    return F.concat(epoch, rank, position)


def epoch_digits(text: Column) -> Column:
    """A decimal epoch as 4 hexadecimal digits, the first one where there is none; null for anything else."""
    number = F.when(text.rlike(r"^\d{1,5}$"), text.cast("int"))
    digits = F.when(number < _MOST_EPOCHS, F.lpad(F.hex(number), _EPOCH_DIGITS, "0"))
    return F.when(text.isNull() | (text == _FIRST_EPOCH), F.lit(_FIRST_EPOCH)).otherwise(digits)


def lsn_number(lsn: Column) -> Column:
    """An LSN as 16 hexadecimal digits; null unless it is above zero."""
    return F.when(lsn > 0, hex_digits(lsn))


def hex_digits(number: Column) -> Column:
    """All hexadecimal digits of an `int` (8) or a `bigint` (16), from its bytes, which need no padding."""
    return F.hex(number.cast("binary"))


def lsn_pair(high: Column, low: Column) -> Column:
    """PostgreSQL's `00000002/7C007178` notation, its two halves given apart, as 16 hexadecimal digits."""
    return F.upper(F.concat(*(F.lpad(half, HALF_DIGITS, "0") for half in (high, low))))
