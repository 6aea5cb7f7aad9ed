"""Names of the driver's JVM, each looked up once.

py4j asks the JVM for each part of a dotted name whenever it is written, PySpark so for every function in every
expression; and the JVM looks for a part that is no class in a dozen packages and in every jar.
"""

from typing import Any, Final

_CLASSES: Final = {
    "functions": ("col", "lit", "when", "count", "min", "max", "not"),
    "PythonUtils": ("toSeq", "toScalaMap"),
    "PythonSQLUtils": (),
    "SparkSession": ("getActiveSession", "setActiveSession", "clearActiveSession"),
    "scala.None$": ("MODULE$",),
    "scala.Option": ("apply",),
    "scala.collection.immutable.List": ("canBuildFrom",),
    "com.fasterxml.jackson.databind.ObjectMapper": (),
    "org.apache.hadoop.fs.Path": (),
    "org.apache.spark.sql.Column": (),
    "org.apache.spark.sql.Dataset": ("ofRows",),
    "org.apache.spark.sql.Observation": (),
    "org.apache.spark.sql.SaveMode": (),
    "org.apache.spark.sql.catalyst.expressions.Alias": (),
    "org.apache.spark.sql.catalyst.expressions.AttributeMap$": ("MODULE$",),
    "org.apache.spark.sql.catalyst.expressions.CreateArray": (),
    "org.apache.spark.sql.catalyst.expressions.InSet": (),
    "org.apache.spark.sql.catalyst.expressions.Literal": (),
    "org.apache.spark.sql.catalyst.plans.logical.Project": (),
    "org.apache.spark.sql.delta.DeltaLog": ("forTable",),
    "org.apache.spark.sql.delta.DeltaOperations$Write": (),
    "org.apache.spark.sql.delta.actions.Action": ("fromJson",),
    "org.apache.spark.sql.execution.CollectMetricsExec$": ("MODULE$",),
}
"""Classes by their names, which are simple where PySpark uses them so, with their static methods and fields."""


def keep_names(view: Any) -> None:
    """Makes what py4j found out about these an attribute of its view of the JVM, which is asked first."""
    for name, methods in _CLASSES.items():
        found = view
        for part in name.split("."):
            found = _keep(found, part)
        for method in methods:
            _keep(found, method)


def _keep(holder: Any, name: str) -> Any:
    found = getattr(holder, name)
    setattr(holder, name, found)
    return found
