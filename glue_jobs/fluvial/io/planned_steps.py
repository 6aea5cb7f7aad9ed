"""Steps over several frames that are planned once, down to the plan that Spark prepares for a run.

A settle's plan joins, sorts and compares some hundred expressions: to analyse, to optimise and to plan it costs as much
as to run it over a small batch. It only differs in where its rows come from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.plan_nodes import Leaf, frame_of, nodes_of, replace_nodes, same_columns
from fluvial.io.prepared_plan import PreparedPlan
from fluvial.io.schemas import empty_like
from fluvial.io.session import ADAPTS


@dataclass(frozen=True)
class _Leaf(Leaf):
    """A leaf of which only some columns are read: those at `places`."""

    places: list[int]


@dataclass(frozen=True)
class _Template:
    """The plan of the steps over no rows at all; `leaves` by the frame that they stand for."""

    columns: list[list[tuple[str, str]]]
    logical: Any
    physical: Any
    leaves: list[list[_Leaf]]


@dataclass
class PlannedSteps:
    """`steps`, which may depend on nothing but the columns of the frames that they are given.

    How to join is chosen over no rows: hint at a broadcast where one is wanted.
    """

    session: SparkSession
    steps: Callable[..., DataFrame]
    _template: _Template | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._analysed = PreparedPlan(self.session, self.steps)

    def over(self, *frames: DataFrame) -> DataFrame:
        """What `steps(*frames)` would give; planned again where a frame has other columns than before.

        It belongs to this object's session. A session that adapts plans while they run makes its own.
        """
        if str(self.session.conf.get(ADAPTS)).lower() == "true":
            return self._analysed.over(*frames)
        template = self._planned([frame.dtypes for frame in frames])
        sources = {
            leaf.node: self._source(leaf, frame)
            for frame, leaves in zip(frames, template.leaves, strict=True)
            for leaf in leaves
        }
        filled = replace_nodes(self.session, template.physical, sources)
        # A logical node that brings its physical plan along; Spark's own for what an adaptive plan has run already.
        stages = delta.jvm(self.session).org.apache.spark.sql.execution.adaptive
        return frame_of(self.session, stages.LogicalQueryStage(template.logical, filled))

    def _source(self, leaf: _Leaf, frame: DataFrame) -> Any:
        """The frame's physical plan of the columns that are read, as if they were the leaf's."""
        jvm = delta.jvm(self.session)
        analysed = frame._jdf.queryExecution().analyzed()  # noqa: SLF001
        output = analysed.output()
        wanted = jvm.PythonUtils.toSeq([output.apply(place) for place in leaf.places])
        narrow = jvm.org.apache.spark.sql.catalyst.plans.logical.Project(wanted, analysed)
        planned = frame_of(self.session, narrow)._jdf.queryExecution().sparkPlan()  # noqa: SLF001
        return jvm.org.apache.spark.sql.execution.ProjectExec(leaf.columns_of(self.session, planned), planned)

    def _planned(self, columns: list[list[tuple[str, str]]]) -> _Template:
        if self._template is None or self._template.columns != columns:
            empties = [empty_like(self.session, each) for each in columns]
            execution = self.steps(*empties)._jdf.queryExecution()  # noqa: SLF001
            physical = execution.sparkPlan()
            leaves = [self._leaves(physical, empty) for empty in empties]
            self._template = _Template(columns, execution.optimizedPlan(), physical, leaves)
        return self._template

    def _leaves(self, physical: Any, empty: DataFrame) -> list[_Leaf]:
        """Each empty frame has an RDD of its own, which all its places in the plan share."""
        rows = empty._jdf.queryExecution().sparkPlan().inputRDD()  # noqa: SLF001
        scan = "org.apache.spark.sql.execution.RDDScanExec"
        scans = (node for node in delta.listed(physical.collectLeaves()) if node.getClass().getName() == scan)
        return [self._leaf(physical, node) for node in scans if node.inputRDD().equals(rows)]

    def _leaf(self, physical: Any, node: Any) -> _Leaf:
        columns = delta.listed(node.output())
        wanted = _asked(physical, node)
        places = [place for place, column in enumerate(columns) if wanted is None or wanted.contains(column)]
        read = delta.jvm(self.session).PythonUtils.toSeq([columns[place] for place in places])
        project = delta.jvm(self.session).org.apache.spark.sql.execution.ProjectExec
        return _Leaf(node, read, project(same_columns(self.session, read), node), places)


def _asked(physical: Any, leaf: Any) -> Any:
    """The columns that are read of a leaf; None where it stands anywhere but below a projection, so that all may be."""
    found = [asked for node in nodes_of(physical) if (asked := _asked_by(node, leaf)) is not None]
    if len(found) < sum(node.equals(leaf) for node in nodes_of(physical)):
        return None
    return reduce(_with, found)


def _asked_by(node: Any, leaf: Any) -> Any:
    """What a projection reads of the leaf below it, with filters between; None of any other node."""
    if node.nodeName() != "Project":
        return None
    child, asked = node.child(), node.references()
    while child.nodeName() == "Filter":
        child, asked = child.child(), _with(asked, child.references())
    return asked if child.equals(leaf) else None


def _with(some: Any, others: Any) -> Any:
    """Both sets of columns."""
    return getattr(some, "$plus$plus")(others)
