"""How the versions of a history lie in its files: what changes at about the same time lies together.

A settle writes anew each file that holds a version to change. Were rows put into files as they come, the few closed
versions that late events reach would drag every closed version since into one file, which grows with each settle. In
order of their end, and in files of bounded size, only the newest are written again. Open versions lie in order of their
sequence: rows that change often stay among themselves, and files of those that rest are left alone.
"""

from contextlib import AbstractContextManager
from typing import Final

from pyspark.sql import DataFrame, SparkSession

from fluvial import columns as c
from fluvial.io.session import setting

_ORDER: Final = (c.IS_CURRENT, c.END_SEQUENCE, c.SEQUENCE)

_FEWEST: Final = 10_000
"""Versions in a full file, at the least."""
_MOST_FILES: Final = 16
"""Full files of one settle, about."""
_LIMIT: Final = "spark.sql.files.maxRecordsPerFile"


def in_order(versions: DataFrame) -> DataFrame:
    """The same rows, each partition's in the order in which they are written."""
    return versions.sortWithinPartitions(*_ORDER)


def most_in_a_file(rows: int) -> int:
    """How many versions a file may hold where so many are written at once: small files, but not many."""
    return max(_FEWEST, rows // _MOST_FILES)


def limited_files(session: SparkSession, rows: int) -> AbstractContextManager[None]:
    """What the session writes meanwhile goes into files of `most_in_a_file`; it may write nothing else."""
    return setting(session, _LIMIT, str(most_in_a_file(rows)))
