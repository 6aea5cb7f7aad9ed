"""`with_gap_markers`: what the quarantine holds of events, and what the log says in their places."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from fluvial import columns as c
from fluvial.config.model import Table


def with_gap_markers(quarantined: DataFrame, log: DataFrame, table: Table, columns: Sequence[str]) -> DataFrame:
    """Rows of the quarantine, each with these columns of its gap marker; one without a marker is left out."""
    place = [*table.primary_key, *c.PLACE]
    return quarantined.join(log.where(c.IS_QUARANTINED).select(*place, *columns), place)
