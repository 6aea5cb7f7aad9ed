"""The chain of one table, planned once for all batches: records in, rows of log and quarantine out."""

from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession

from fluvial.config.model import Table
from fluvial.io.prepared_plan import PreparedPlan
from fluvial.io.secrets import keys_of, with_keys
from fluvial.micro_batch import check_records, place_log, place_quarantined
from fluvial.quality.split import carry_batch
from fluvial.streams import BatchContext, CheckedRecords, FreshEvents, LogRows, Quarantined, Records


@dataclass
class TableChain:
    """The steps around the comparison with the log."""

    session: SparkSession
    table: Table

    @cached_property
    def _keys(self) -> DataFrame | None:
        """Read once: a secret may come from another service."""
        return keys_of(self.table, self.session)

    @cached_property
    def _check(self) -> PreparedPlan:
        return PreparedPlan(self.session, lambda records: check_records(Records(records), self.table))

    @cached_property
    def _place(self) -> PreparedPlan:
        return PreparedPlan(self.session, lambda fresh: place_log(FreshEvents(fresh), self.table))

    @cached_property
    def _quarantine(self) -> PreparedPlan:
        return PreparedPlan(self.session, lambda fresh: place_quarantined(FreshEvents(fresh), self.table))

    def check(self, records: Records) -> CheckedRecords:
        """Parsed and judged."""
        return CheckedRecords(self._check.over(records))

    def log_rows(self, fresh: FreshEvents, context: BatchContext) -> LogRows:
        """What a batch's fresh events become in the log."""
        return LogRows(self._place.over(self._complete(fresh, context)))

    def quarantined(self, fresh: FreshEvents, context: BatchContext) -> Quarantined:
        """Those of them that break a rule."""
        return Quarantined(self._quarantine.over(self._complete(fresh, context)))

    def _complete(self, fresh: FreshEvents, context: BatchContext) -> FreshEvents:
        return carry_batch(FreshEvents(with_keys(fresh, self._keys)), context)
