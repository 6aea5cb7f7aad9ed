"""Which files of a log or a history can matter to a range: conditions over `stats`, the statistics of Delta's AddFiles.

A file without a statistic may hold anything.
"""

from datetime import timedelta
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.history.range_bounds import RangeBounds

CUT_OFF: Final = timedelta(milliseconds=1)
"""A time in statistics may be so much earlier than the highest one of the file."""


def may_reach(sequence: str) -> Column:
    """Files of a history that may hold a version open at the sequence or later."""
    has_open = _statistic("nullCount", c.END_SEQUENCE).cast("bigint") > 0
    return F.coalesce(has_open, F.lit(True)) | F.coalesce(_highest(c.END_SEQUENCE) >= sequence, F.lit(True))


def may_be_near(bounds: RangeBounds) -> Column:
    """Files of a log that may hold rows that matter to the range."""
    latest = _highest(c.COMMIT_TIME).cast("timestamp") + F.lit(CUT_OFF)
    is_later = latest > F.timestamp_micros(F.lit(bounds.min_commit_micros))
    return F.coalesce(_highest(c.SEQUENCE) >= bounds.min_sequence, F.lit(True)) | F.coalesce(is_later, F.lit(True))


def _highest(name: str) -> Column:
    """A long text's highest value is cut and rounded up: still none of the file's lies above it."""
    return _statistic("maxValues", name)


def _statistic(kind: str, name: str) -> Column:
    return F.get_json_object("stats", f"$.{kind}.{name}")
