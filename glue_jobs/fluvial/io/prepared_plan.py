"""Steps of the chain planned once for all batches.

Spark analyses a frame anew at each step, and each Column crosses from Python into the JVM: over a small batch, building
the plan of a chain costs more than running it. The plan only differs in where its rows come from. To put them there
takes few calls, however many columns there are: each costs a tenth of a millisecond of CPU, half of it to forget the
answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.plan_nodes import Leaf, frame_of, replace_nodes, same_columns
from fluvial.io.schemas import empty_like


@dataclass(frozen=True)
class _Planned:
    """The analysed plan of the steps over no rows at all; `leaves` by the frame that they stand for."""

    columns: list[list[tuple[str, str]]]
    plan: Any
    leaves: list[list[Leaf]]

    @property
    def has_one_leaf(self) -> bool:
        """Whether rows come in at one place; where they do at several, Spark may have to tell their columns apart."""
        return sum(map(len, self.leaves)) == 1


@dataclass
class PreparedPlan:
    """`steps`, which may depend on nothing but the columns of the frames that they are given."""

    session: SparkSession
    steps: Callable[..., DataFrame]
    _planned: _Planned | None = field(default=None, init=False)

    def over(self, *frames: DataFrame) -> DataFrame:
        """What `steps(*frames)` would give; planned again where a frame has other columns than before.

        It belongs to the session of the first frame.
        """
        planned = self._plan([frame.dtypes for frame in frames])
        sources = {
            leaf.node: self._named(leaf, source)
            for source, leaves in zip(map(_analyzed, frames), planned.leaves, strict=True)
            for leaf in leaves
        }
        replaced = replace_nodes(self.session, planned.plan, sources)
        if planned.has_one_leaf:
            replaced.setAnalyzed()  # as it was over no rows
        return frame_of(frames[0].sparkSession, replaced)

    def _plan(self, columns: list[list[tuple[str, str]]]) -> _Planned:
        if self._planned is None or self._planned.columns != columns:
            empties = [empty_like(self.session, each) for each in columns]
            plan = _analyzed(self.steps(*empties))
            leaves = [self._leaves(plan, _analyzed(empty)) for empty in empties]
            self._planned = _Planned(columns, plan, leaves)
        return self._planned

    def _leaves(self, plan: Any, empty: Any) -> list[Leaf]:
        """The leaf and its copies: where rows meet themselves, Spark gives the columns of one side other identities.

        Empty frames of equal columns differ all the same, as each has an RDD of its own.
        """
        nodes = [node for node in delta.listed(plan.collectLeaves()) if node.sameResult(empty)]
        return [Leaf(node, node.output(), self._projection(node)) for node in nodes]

    def _projection(self, node: Any) -> Any:
        """Each column under its own name and identity, by which the steps know it."""
        project = delta.jvm(self.session).org.apache.spark.sql.catalyst.plans.logical.Project
        return project(same_columns(self.session, node.output()), node)

    def _named(self, leaf: Leaf, source: Any) -> Any:
        """The leaf's projection of the source instead, column for column."""
        project = delta.jvm(self.session).org.apache.spark.sql.catalyst.plans.logical.Project
        return project(leaf.columns_of(self.session, source), source)


def _analyzed(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()  # noqa: SLF001
