"""Sequences as text that sorts bytewise: `<epoch>.<0 snapshot | 1 streamed>.<position>`.

Snapshot rows come first: the position a snapshot row carries is an upper bound, so a streamed change with a lower
position can still be newer than the row.
"""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

_FIRST_EPOCH: Final = "0000"
_LSN_DIGITS: Final = 16


def sequence(is_snapshot: Column, position: Column) -> Column:
    """The sequence of an event; null where the position is."""
    rank = F.when(is_snapshot, F.lit(f"{_FIRST_EPOCH}.0.")).otherwise(F.lit(f"{_FIRST_EPOCH}.1."))
    return F.concat(rank, position)


def lsn_number(text: Column) -> Column:
    """A decimal LSN as 16 hexadecimal digits; null unless it is a whole number above zero."""
    number = F.when(text.rlike(r"^\d{1,19}$"), text.cast("bigint"))
    return F.when(number > 0, F.lpad(F.hex(number), _LSN_DIGITS, "0"))


def lsn_pair(high: Column, low: Column) -> Column:
    """PostgreSQL's `00000002/7C007178` notation, its two halves given apart, as 16 hexadecimal digits."""
    return F.upper(F.concat(F.lpad(high, _LSN_DIGITS // 2, "0"), F.lpad(low, _LSN_DIGITS // 2, "0")))
