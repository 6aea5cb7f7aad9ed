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
class _Leaf:
    """A place in a plan where rows come in, and the names and identities of its columns."""

    node: Any
    columns: list[tuple[str, Any]]


@dataclass(frozen=True)
class _Planned:
    """The analysed plan of the steps over no rows at all."""

    columns: list[tuple[str, str]]
    plan: Any
    leaves: list[_Leaf]


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
        sources = jvm.PythonUtils.toScalaMap({leaf.node: self._renamed(source, leaf) for leaf in planned.leaves})
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

    def _renamed(self, source: Any, leaf: _Leaf) -> Any:
        """The source with the identities of the leaf's columns: by them the steps know their columns."""
        jvm = delta.jvm(self.session)
        catalyst, sequence = jvm.org.apache.spark.sql.catalyst, jvm.PythonUtils.toSeq
        alias, empty, nothing = catalyst.expressions.Alias, sequence([]), jvm.scala.Option.empty()
        pairs = zip(delta.listed(source.output()), leaf.columns, strict=True)
        aliases = [alias(column, name, identity, empty, nothing, empty) for column, (name, identity) in pairs]
        return catalyst.plans.logical.Project(sequence(aliases), source)


def _leaves(plan: Any, empty: Any) -> list[_Leaf]:
    """The leaf and its copies: where rows meet themselves, Spark gives the columns of one side other identities."""
    nodes = [node for node in delta.listed(plan.collectLeaves()) if node.sameResult(empty)]
    return [_Leaf(node, [(each.name(), each.exprId()) for each in delta.listed(node.output())]) for node in nodes]


def _analyzed(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()  # noqa: SLF001
