"""A pass over a batch that is planned once for all batches, down to what Spark runs.

To optimise a chain and to choose how to run it costs a small batch as much as its rows do. The plan only differs in
where its rows come from, and in the batch that each row carries.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from pyspark.sql import Column, DataFrame, SparkSession

from fluvial.io import delta
from fluvial.io.observed import Observed
from fluvial.io.plan_nodes import column_map, nodes_of, replace_nodes
from fluvial.io.schemas import empty_like
from fluvial.io.session import ADAPTS, FUSES, active, setting
from fluvial.quality.split import batch_values
from fluvial.streams import BatchContext

_COUNTS: Final = "counts"
"""What a pass's observation is called."""
_MOST_IN_A_TASK: Final = 20_000
"""Records that one task reads before there is another: less than a second's work."""
_ANY: Final = BatchContext("a batch of no query", 7_046_029_254_386_353_131, datetime(1, 1, 1, tzinfo=UTC))
"""A batch that there is none of: its values hold the places of those of each batch."""
_OTHER: Final = BatchContext("another batch of no query", 0, datetime(2, 1, 1, tzinfo=UTC))


def counted(rows: DataFrame, aggregates: Sequence[Column]) -> DataFrame:
    """The rows, counted on the way; once in a pass."""
    first, *others = aggregates
    return rows.observe(_COUNTS, first, *others)


@dataclass(frozen=True)
class _Template:
    """The plan over no rows, as it is run; `open_nodes` hold columns of the leaf, or a batch."""

    columns: list[tuple[str, str]]
    schema: Any
    physical: Any
    leaf: Any
    open_nodes: list[Any]
    reads_the_clock: bool


@dataclass
class PlannedPass:
    """`steps`, which count on the way, and depend on nothing but a frame's columns and the batch that they get."""

    session: SparkSession
    steps: Callable[[DataFrame, BatchContext], DataFrame]
    _template: _Template | None = field(default=None, init=False)

    def over(self, records: DataFrame, context: BatchContext, expected: int | None = None) -> Observed:
        """What `steps(records, context)` would give; planned again where the records have other columns than before.

        Where `expected` says how many records there are, few tasks read them, and so they go into few files.
        """
        template = self._planned(records.dtypes)
        with active(self.session):
            source = records._jdf.queryExecution().executedPlan()  # noqa: SLF001
            few = source if expected is None else self._in_few_tasks(source, expected)
            plan = self._filled(template, few, context)
            computed = plan.execute()
        java_session: Any = records.sparkSession._jsparkSession  # noqa: SLF001
        rows = java_session.internalCreateDataFrame(computed, template.schema, False)
        counts = delta.scala_object(delta.jvm(self.session).org.apache.spark.sql.execution, "CollectMetricsExec")
        return Observed(DataFrame(rows, records.sparkSession), lambda: str(counts.collect(plan).apply(_COUNTS).json()))

    def _in_few_tasks(self, source: Any, records: int) -> Any:
        """For each part of a source that it reads a task generates the code of each level anew, and it writes a file.

        That is as much work as some thousand records; so parts are put together before the first level.
        """
        tasks = max(1, -(-records // _MOST_IN_A_TASK))
        return delta.jvm(self.session).org.apache.spark.sql.execution.CoalesceExec(tasks, source)

    def explain(self, records: DataFrame) -> str:
        """The plan that such records are run by: what is written only shows that there was one."""
        return str(self._planned(records.dtypes).physical.toString())

    def _filled(self, template: _Template, source: Any, context: BatchContext) -> Any:
        """The physical plan over the source's rows, which carry the batch."""
        columns = column_map(self.session, template.leaf.output(), source.output())
        values = self._values(context)
        nodes = {node: node.rewriteAttrs(columns).transformExpressions(values) for node in template.open_nodes}
        return replace_nodes(self.session, template.physical, {template.leaf: source, **nodes})

    @cached_property
    def _places(self) -> list[Any]:
        """The values of the batch that there is none of, as they stand in the plan."""
        return list(self._literals(_ANY))

    def _values(self, context: BatchContext) -> Any:
        """From each value of the batch that there is none of to this batch's."""
        pairs = zip(self._places, self._literals(context), strict=True)
        return delta.jvm(self.session).PythonUtils.toScalaMap(dict(pairs))

    def _literals(self, context: BatchContext) -> Iterator[Any]:
        """What Spark makes of the batch's values: of the array that each is found in, a constant."""
        jvm = delta.jvm(self.session)
        expressions = jvm.org.apache.spark.sql.catalyst.expressions
        parser = self.session._jsparkSession.sessionState().sqlParser()  # noqa: SLF001
        for value in batch_values(context).values():
            array = expressions.CreateArray(jvm.PythonUtils.toSeq([parser.parseExpression(value)]))
            yield expressions.Literal(array.eval(None), array.dataType())

    def _planned(self, columns: list[tuple[str, str]]) -> _Template:
        template = self._template
        if template is None or template.columns != columns or template.reads_the_clock:
            template = self._template = self._plan(columns)
        return template

    def _plan(self, columns: list[tuple[str, str]]) -> _Template:
        """The source's columns have other names: Spark would take one that is only handed on for the leaf's own.

        To fuse steps or to adapt would wrap them, so that their rows could come from nowhere else.
        """
        source = empty_like(self.session, [(f"source of {name}", kind) for name, kind in columns])
        with setting(self.session, FUSES, "false"), setting(self.session, ADAPTS, "false"):
            rows = self.steps(source.toDF(*(name for name, _ in columns)), _ANY)
            execution = rows._jdf.queryExecution()  # noqa: SLF001
            physical = execution.executedPlan()
        leaf = self._source_leaf(physical, source)
        opened = self._open_nodes(physical, leaf)
        return _Template(columns, rows._jdf.schema(), physical, leaf, opened, self._reads_the_clock(execution))  # noqa: SLF001

    def _source_leaf(self, physical: Any, source: DataFrame) -> Any:
        """Where the source's rows come in; keys beside the events are another leaf."""
        identity = source._jdf.queryExecution().analyzed().output().head().exprId()  # noqa: SLF001
        leaves = delta.listed(physical.collectLeaves())
        (leaf,) = (each for each in leaves if each.output().head().exprId().equals(identity))
        return leaf

    def _open_nodes(self, physical: Any, leaf: Any) -> list[Any]:
        values = self._values(_OTHER)
        return [
            node
            for node in nodes_of(physical)
            if node.references().intersect(leaf.outputSet()).nonEmpty()
            or not node.transformExpressions(values).equals(node)
        ]

    def _reads_the_clock(self, execution: Any) -> bool:
        """A rule of an extension may; Spark writes the moment into the plan."""
        patterns = delta.jvm(self.session).org.apache.spark.sql.catalyst.trees.TreePattern
        return bool(execution.analyzed().containsPattern(patterns.CURRENT_LIKE()))
