"""Which files of a log or a history can matter to a range: conditions over `stats`, the statistics of Delta's AddFiles.

A file without a statistic may hold anything.
"""

import operator
from datetime import timedelta
from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.key_range import Bounds, KeyRange
from fluvial.history.range_bounds import RangeBounds

CUT_OFF: Final = timedelta(milliseconds=1)
"""A time in statistics may be so much earlier than the highest one of the file."""


def may_reach(sequence: str) -> Column:
    """Files of a history that may hold a version open at the sequence or later."""
    has_open = _statistic("nullCount", c.END_SEQUENCE).cast("bigint") > 0
    return F.coalesce(has_open, F.lit(True)) | F.coalesce(_highest(c.END_SEQUENCE) >= sequence, F.lit(True))


def may_hold(keys: KeyRange, table: Table) -> Column:
    """Files of a history that may hold a key of the range."""
    found = (_may_meet(name, table.column(name).type, bounds) for name, bounds in keys.bounds.items())
    return reduce(operator.and_, found, F.lit(True))


def may_be_near(bounds: RangeBounds) -> Column:
    """Files of a log that may hold rows that matter to the range."""
    latest = _highest(c.COMMIT_TIME).cast("timestamp") + F.lit(CUT_OFF)
    is_later = latest > F.timestamp_micros(F.lit(bounds.min_commit_micros))
    return F.coalesce(_highest(c.SEQUENCE) >= bounds.min_sequence, F.lit(True)) | F.coalesce(is_later, F.lit(True))


def _may_meet(name: str, kind: str, bounds: Bounds) -> Column:
    lowest, highest = (_cut(_statistic(each, name), kind) for each in ("minValues", "maxValues"))
    least, most = (F.lit(str(bound)).cast(kind) for bound in bounds)  # py4j can't hand over early dates
    return F.coalesce((lowest <= most) & (highest >= least), F.lit(True))


def _cut(told: Column, kind: str) -> Column:
    """Of its type; times as `read_key_range` cuts them."""
    return F.date_trunc("millisecond", told.cast(kind)) if kind == "timestamp" else told.cast(kind)


def _highest(name: str) -> Column:
    """A long text's highest value is cut and rounded up: still none of the file's lies above it."""
    return _statistic("maxValues", name)


def _statistic(kind: str, name: str) -> Column:
    return F.get_json_object("stats", f"$.{kind}.{name}")
