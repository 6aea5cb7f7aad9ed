"""`change_events`: the events among the records, and those that they imply.

A key change by DMS is one update with the old key in its before-image: it implies a DELETE of the old key (Debezium
sends both itself). The last row of a complete snapshot implies its boundary: keys without a row there are gone.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.envelope.values import read_value
from fluvial.streams import (
    EVENT,
    HAS_ERROR,
    IS_DERIVED,
    KIND,
    PREVIOUS_KEY,
    SNAPSHOT_END,
    ChangeEvents,
    CheckedRecords,
)


def change_events(records: CheckedRecords, table: Table, has_derived: bool) -> ChangeEvents:
    """The events; the union with what they imply is only planned where the batch has any such event."""
    events = records.where(F.col(KIND) == EVENT).withColumn(IS_DERIVED, F.lit(False))
    if not has_derived:
        return ChangeEvents(events)
    implying = events.where(F.col(PREVIOUS_KEY).isNotNull() | F.col(SNAPSHOT_END))
    return ChangeEvents(events.unionByName(_implied(ChangeEvents(implying), table)))


def _implied(implying: ChangeEvents, table: Table) -> ChangeEvents:
    """One event for each, at its position: for a key change the equal sequence links the two keys."""
    column_types = {column.name: column.type for column in table.columns}

    def old(name: str) -> Column:
        return F.when(~F.col(SNAPSHOT_END), read_value(F.col(PREVIOUS_KEY)[name], column_types[name]))

    derived = {
        **{name: old(name) for name in table.primary_key},
        **{name: F.lit(None) for name in table.value_columns},
        c.OPERATION: F.when(F.col(SNAPSHOT_END), F.lit(c.SNAPSHOT)).otherwise(F.lit(c.DELETE)),
        c.NOT_AUTHORED: F.lit(None),
        c.VIOLATIONS: F.lit(None),
        c.PAYLOAD_HASH: F.when(F.col(SNAPSHOT_END), F.xxhash64(c.COMMIT_TIME)).otherwise(F.lit(0)),
        HAS_ERROR: F.lit(False),
        IS_DERIVED: F.lit(True),
    }
    types = dict(implying.dtypes)
    return ChangeEvents(
        implying.select(*(derived.get(name, F.col(name)).cast(types[name]).alias(name) for name in implying.columns))
    )
