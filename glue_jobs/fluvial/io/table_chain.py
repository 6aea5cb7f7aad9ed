"""The chain of one table, planned once for all batches: records in, rows of log and quarantine out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column, DataFrame, SparkSession

from fluvial.config.model import Table
from fluvial.io.planned_pass import PlannedPass, counted
from fluvial.io.prepared_plan import PreparedPlan
from fluvial.io.secrets import keys_of, with_keys
from fluvial.micro_batch import check_records, place_log, place_quarantined, take_events
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

    def log_pass(self, aggregates: Sequence[Column]) -> PlannedPass:
        """From records to the log's rows in one pass, as if all events were fresh and implied no others."""
        return self._pass(place_log, aggregates)

    def quarantine_pass(self, aggregates: Sequence[Column]) -> PlannedPass:
        """From records to the quarantine's rows, likewise."""
        return self._pass(place_quarantined, aggregates)

    def _pass(self, place: Callable[[FreshEvents, Table], DataFrame], aggregates: Sequence[Column]) -> PlannedPass:
        def steps(records: DataFrame, context: BatchContext) -> DataFrame:
            return place(self._complete(self._events(records, aggregates), context), self.table)

        return PlannedPass(self.session, steps)

    def _events(self, records: DataFrame, aggregates: Sequence[Column]) -> FreshEvents:
        checked = CheckedRecords(counted(check_records(Records(records), self.table), aggregates))
        return FreshEvents(take_events(checked, self.table, has_derived=False))

    def _complete(self, fresh: FreshEvents, context: BatchContext) -> FreshEvents:
        return carry_batch(FreshEvents(with_keys(fresh, self._keys)), context)
