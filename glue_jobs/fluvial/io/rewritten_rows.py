"""What goes into the new files of a history: the rows of old ones as they are or as changed, and what is inserted."""

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.io.history_layout import in_order
from fluvial.io.planned_steps import PlannedSteps
from fluvial.streams import ACTION, HistoryChanges

_OLD, _CHANGED = "t", "s"


@dataclass
class RewrittenRows:
    """Applies changes to the rows that they name by the columns of `identity`; planned once for all settles."""

    session: SparkSession
    identity: Sequence[str]
    _plans: dict[tuple[bool, bool, int], PlannedSteps] = field(default_factory=dict, init=False)

    def of(self, old: DataFrame, changes: HistoryChanges, *, may_change: bool, are_many: bool = False) -> DataFrame:
        """The rows to write, in the order in which they lie in files.

        Where no change names an old row, `may_change` is false, `old` only tells the columns. Changes that are many
        aren't sent to each task.
        """
        writers = int(self.session.conf.get("spark.sql.shuffle.partitions") or 1)

        def steps(old: DataFrame, changes: DataFrame) -> DataFrame:
            named = changes.where(F.col(ACTION) != "INSERT")
            known = named if are_many else F.broadcast(named)
            rows = self._changed(old, known, changes) if may_change else _inserted(old, changes)
            return in_order(rows.coalesce(writers))

        shape = (may_change, are_many, writers)
        return self._plans.setdefault(shape, PlannedSteps(self.session, steps)).over(old, changes)

    def _changed(self, old: DataFrame, known: DataFrame, changes: DataFrame) -> DataFrame:
        same = (F.col(f"{_OLD}.`{name}`") == F.col(f"{_CHANGED}.`{name}`") for name in self.identity)
        joined = old.alias(_OLD).join(known.alias(_CHANGED), functools.reduce(operator.and_, same), "left")
        kept = joined.where(F.coalesce(F.col(ACTION), F.lit("UPDATE")) == "UPDATE")
        told = _told(old, changes)
        shown = (_shown(name) if name in told else F.col(f"{_OLD}.`{name}`") for name in old.columns)
        return kept.select(*shown).unionByName(_inserted(old, changes), allowMissingColumns=True)


def _inserted(old: DataFrame, changes: DataFrame) -> DataFrame:
    return changes.where(F.col(ACTION) == "INSERT").select(*(f"`{name}`" for name in _told(old, changes)))


def _told(old: DataFrame, changes: DataFrame) -> list[str]:
    """The columns of a row that changes tell, too."""
    names = {name.lower() for name in changes.columns}
    return [name for name in old.columns if name.lower() in names]


def _shown(name: str) -> Column:
    """The changed value where there is one; what a change doesn't tell stays."""
    changed, old = F.col(f"{_CHANGED}.`{name}`"), F.col(f"{_OLD}.`{name}`")
    return F.when(F.col(f"{_CHANGED}.{ACTION}").isNotNull(), changed).otherwise(old).alias(name)
