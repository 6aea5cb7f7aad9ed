"""What stands in a plan of Spark's, logical or physical, put in the place of something else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from fluvial.io import delta


def column_map(session: SparkSession, old: Any, new: Any) -> Any:
    """From each column of an output to that of another at its place, as `rewriteAttrs` takes it."""
    jvm = delta.jvm(session)
    pairs = old.zip(new, jvm.scala.collection.immutable.List.canBuildFrom())
    return delta.scala_object(jvm.org.apache.spark.sql.catalyst.expressions, "AttributeMap").apply(pairs)


def replace_nodes(session: SparkSession, plan: Any, nodes: Mapping[Any, Any]) -> Any:
    """The plan with other nodes in place of these: a Scala map is a partial function, and leaves the rest alone."""
    return plan.transform(delta.jvm(session).PythonUtils.toScalaMap(dict(nodes)))


def nodes_of(plan: Any) -> Iterator[Any]:
    """Every node of a plan, the root first."""
    yield plan
    for child in delta.listed(plan.children()):
        yield from nodes_of(child)


def frame_of(session: SparkSession, plan: Any) -> DataFrame:
    """The frame of a logical plan, analysed where it isn't yet."""
    jdf = delta.jvm(session).org.apache.spark.sql.Dataset.ofRows(session._jsparkSession, plan)  # noqa: SLF001
    return DataFrame(jdf, session)


@dataclass(frozen=True)
class Leaf:
    """A place in a plan where rows come in. `read` are the columns of it that the plan reads.

    `named` is a projection of these columns that keeps their names and identities.
    """

    node: Any
    read: Any
    named: Any

    def columns_of(self, session: SparkSession, source: Any) -> Any:
        """The source's columns, one for each that is read, under the leaf's names and identities."""
        return self.named.rewriteAttrs(column_map(session, self.read, source.output())).projectList()


def same_columns(session: SparkSession, columns: Any) -> Any:
    """Each column under its own name and identity, which it keeps when another is put in its place."""
    jvm = delta.jvm(session)
    alias, sequence = jvm.org.apache.spark.sql.catalyst.expressions.Alias, jvm.PythonUtils.toSeq
    empty, nothing = sequence([]), delta.scala_object(jvm.scala, "None")
    return sequence([alias(each, each.name(), each.exprId(), empty, nothing, empty) for each in delta.listed(columns)])
