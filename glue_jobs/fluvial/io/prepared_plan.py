"""Steps of the chain planned once for all batches.

Spark analyses a frame anew at each step, and each Column crosses from Python into the JVM: over a small batch, building
the plan of a chain costs more than running it. The plan only differs in where its rows come from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.schemas import empty_frame


@dataclass(frozen=True)
class _Planned:
    """The analysed plan of the steps over no rows at all; `leaves` are the places in it where the rows come in."""

    columns: list[tuple[str, str]]
    plan: Any
    leaves: list[Any]


@dataclass
class PreparedPlan:
    """`steps`, which may depend on nothing but the columns of what they are given."""

    session: SparkSession
    steps: Callable[[DataFrame], DataFrame]
    _planned: _Planned | None = field(default=None, init=False)

    def over(self, rows: DataFrame) -> DataFrame:
        """What `steps(rows)` would give; planned again where the rows have other columns than before."""
        jvm, planned = delta.jvm(self.session), self._plan(rows.dtypes)
        source = _analyzed(rows)
        # A Scala map is a partial function: it replaces these leaves, and nothing else.
        sources = jvm.PythonUtils.toScalaMap({leaf: self._renamed(source, leaf) for leaf in planned.leaves})
        replaced = planned.plan.transform(sources)
        jdf = jvm.org.apache.spark.sql.Dataset.ofRows(rows._jdf.sparkSession(), replaced)  # noqa: SLF001
        return DataFrame(jdf, rows.sparkSession)

    def _plan(self, columns: list[tuple[str, str]]) -> _Planned:
        if self._planned is None or self._planned.columns != columns:
            schema = ", ".join(f"`{name}` {kind}" for name, kind in columns)
            empty = empty_frame(self.session, schema)
            plan = _analyzed(self.steps(empty))
            self._planned = _Planned(columns, plan, _leaves(plan, _analyzed(empty)))
        return self._planned

    def _renamed(self, source: Any, leaf: Any) -> Any:
        """The source with the identities of the leaf's columns: by them the steps know their columns."""
        jvm = delta.jvm(self.session)
        catalyst, nothing, sequence = jvm.org.apache.spark.sql.catalyst, jvm.scala.Option.empty(), jvm.PythonUtils.toSeq
        pairs = zip(delta.listed(source.output()), delta.listed(leaf.output()), strict=True)
        aliases = [
            catalyst.expressions.Alias(column, known.name(), known.exprId(), sequence([]), nothing, sequence([]))
            for column, known in pairs
        ]
        return catalyst.plans.logical.Project(sequence(aliases), source)


def _leaves(plan: Any, leaf: Any) -> list[Any]:
    """The leaf and its copies: where rows meet themselves, Spark gives the columns of one side other identities."""
    return [each for each in delta.listed(plan.collectLeaves()) if each.sameResult(leaf)]


def _analyzed(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()  # noqa: SLF001
