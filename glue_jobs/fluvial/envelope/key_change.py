"""`change_events`: the events among the records, with a key change told as a delete of the old key and the update.

Debezium sends both itself; DMS sends one update that has the old key in its before-image only.
"""

from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.streams import EVENT, HAS_ERROR, IS_DERIVED, KIND, PREVIOUS_KEY, ChangeEvents, CheckedRecords


def change_events(records: CheckedRecords, table: Table, has_key_changes: bool) -> ChangeEvents:
    """The events; the union with derived deletes is only planned where the batch has a key change."""
    events = records.where(F.col(KIND) == EVENT).withColumn(IS_DERIVED, F.lit(False))
    if not has_key_changes:
        return ChangeEvents(events)
    changed = events.where(F.col(PREVIOUS_KEY).isNotNull())
    return ChangeEvents(events.unionByName(_deletes(ChangeEvents(changed), table)))


def _deletes(changed: ChangeEvents, table: Table) -> ChangeEvents:
    """One DELETE for each key change, at the position of its update: the equal sequence links the two keys."""
    deleted = {
        **{name: F.col(PREVIOUS_KEY)[name] for name in table.primary_key},
        **{name: F.lit(None) for name in table.value_columns},
        c.OPERATION: F.lit(c.DELETE),
        c.NOT_AUTHORED: F.lit(None),
        c.VIOLATIONS: F.lit(None),
        c.PAYLOAD_HASH: F.lit(0),
        HAS_ERROR: F.lit(False),
        IS_DERIVED: F.lit(True),
    }
    types = dict(changed.dtypes)
    return ChangeEvents(
        changed.select(*(deleted.get(name, F.col(name)).cast(types[name]).alias(name) for name in changed.columns))
    )
