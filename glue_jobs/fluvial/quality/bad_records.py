"""Why the records of a batch are bad: what would go to the quarantine or to the dead letters."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.streams import DEAD_LETTER, HAS_ERROR, KIND, REASON, CheckedRecords

BROKEN: Final = "broken"
"""The id of a rule of severity `error`, or the reason of a dead letter."""


def count_broken(checked: CheckedRecords) -> DataFrame:
    """BROKEN and `count`, the number of records; an event that breaks two rules counts for both."""
    errors = F.filter(c.VIOLATIONS, lambda violation: violation["severity"] == "error")
    rules = F.transform(errors, lambda violation: violation["rule_id"])
    broken = F.when(F.col(KIND) == DEAD_LETTER, F.array(REASON)).when(F.col(HAS_ERROR), rules)
    return checked.select(F.explode(broken).alias(BROKEN)).groupBy(BROKEN).count()
