"""Steps of the chain planned once for all batches.

Spark analyses a frame anew at each step, and each Column crosses from Python into the JVM: over a small batch, building
the plan of a chain costs more than running it. The plan only differs in where its rows come from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.schemas import empty_frame


@dataclass
class PreparedPlan:
    """`steps` over frames with the columns of `schema` (Spark DDL); they may not depend on the batch."""

    session: SparkSession
    schema: str
    steps: Callable[[DataFrame], DataFrame]

    def over(self, rows: DataFrame) -> DataFrame:
        """What `steps(rows)` would give; further columns of the rows are left out."""
        jvm, (leaf, plan) = delta.jvm(self.session), self._plans
        source = self._renamed(_analyzed(rows.select(*self._columns)), leaf)
        # A Scala map is a partial function: it replaces the leaf, and nothing else.
        replaced = plan.transform(jvm.PythonUtils.toScalaMap({leaf: source}))
        jdf = jvm.org.apache.spark.sql.Dataset.ofRows(rows._jdf.sparkSession(), replaced)  # noqa: SLF001
        return DataFrame(jdf, rows.sparkSession)

    @cached_property
    def _empty(self) -> DataFrame:
        return empty_frame(self.session, self.schema)

    @property
    def _columns(self) -> Sequence[str]:
        return self._empty.columns

    @cached_property
    def _plans(self) -> tuple[Any, Any]:
        """Where the rows come from, and all of the steps over it."""
        return _analyzed(self._empty), _analyzed(self.steps(self._empty))

    def _renamed(self, source: Any, leaf: Any) -> Any:
        """The source with the identities of the leaf's columns: by them the steps know their columns."""
        jvm = delta.jvm(self.session)
        catalyst, nothing, sequence = jvm.org.apache.spark.sql.catalyst, jvm.scala.Option.empty(), jvm.PythonUtils.toSeq
        columns, wanted = source.output(), leaf.output()
        pairs = ((columns.apply(place), wanted.apply(place)) for place in range(wanted.size()))
        aliases = [
            catalyst.expressions.Alias(column, known.name(), known.exprId(), sequence([]), nothing, sequence([]))
            for column, known in pairs
        ]
        return catalyst.plans.logical.Project(sequence(aliases), source)


def _analyzed(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()  # noqa: SLF001
