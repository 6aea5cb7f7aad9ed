"""A table's writer that leaves nothing to the driver: Spark settles what is larger, and has to come to the same."""

from functools import cached_property

from fluvial.io.driver_settle import DriverLimits
from fluvial.io.history_writer import HistoryWriter
from fluvial.io.table_writer import TableWriter


class SettledBySpark(TableWriter):
    """However few rows wait."""

    @cached_property
    def history(self) -> HistoryWriter:
        """The settle step of this table."""
        return HistoryWriter(self.session, self.table, self.locations, driver_limits=DriverLimits(waiting=0))
