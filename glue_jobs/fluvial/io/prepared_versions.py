"""`derive_versions` of one table, planned once for all settles."""

from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from fluvial.config.model import Table
from fluvial.history.versions import EventRows, derive_versions
from fluvial.io.prepared_plan import PreparedPlan
from fluvial.streams import History


@dataclass
class PreparedVersions:
    """One plan for events that may inherit columns, and one for those that needn't."""

    session: SparkSession
    table: Table
    _plans: dict[bool, PreparedPlan] = field(default_factory=dict, init=False)

    def __call__(self, events: EventRows, *, may_inherit: bool) -> History:
        """Every version that the events make."""

        def steps(rows: DataFrame) -> DataFrame:
            return derive_versions(EventRows(rows), self.table, may_inherit=may_inherit)

        plan = self._plans.setdefault(may_inherit, PreparedPlan(self.session, steps))
        return History(plan.over(events))
