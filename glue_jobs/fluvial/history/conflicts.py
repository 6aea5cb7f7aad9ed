"""Counts positions that two different payloads claim: the losers are kept in the log and never shown."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.streams import LogRows


def sequence_conflicts(log: LogRows, table: Table) -> DataFrame:
    """One row with `sequence_conflicts`: valid events beyond the first at one (key, sequence)."""
    valid = log.where(~F.col(c.IS_QUARANTINED) & (F.col(c.OPERATION) != c.TRUNCATE))
    claims = valid.groupBy(*table.primary_key, c.SEQUENCE).agg((F.count(F.lit(1)) - 1).alias("losers"))
    return claims.agg(F.coalesce(F.sum("losers"), F.lit(0)).alias("sequence_conflicts"))
