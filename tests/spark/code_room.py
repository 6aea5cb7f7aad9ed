"""Prints how many classes a session compiles again although it has generated them before.

A process of its own, because Spark makes its cache once: here by a thread that knows of no session, as some tasks are.
"""

from typing import Any

from pyspark.sql import SparkSession

from fluvial.io import delta
from fluvial.io.session import build_session
from fluvial.local.artifacts import spark_jars
from fluvial.local.home import default_home

MORE_THAN_SPARKS_ROOM = 150


def main() -> None:
    session = build_session("code room", spark_jars(default_home()))
    jvm: Any = session._jvm
    jvm.SparkSession.clearActiveSession()
    jvm.SparkSession.clearDefaultSession()
    compile_all(session)
    before = compiled(session)
    compile_all(session)
    print("compiled again:", compiled(session) - before)
    session.stop()


def compile_all(session: SparkSession) -> None:
    jvm: Any = session._jvm
    for width in range(MORE_THAN_SPARKS_ROOM):
        schema = jvm.org.apache.spark.sql.types.StructType.fromDDL(", ".join(f"c{n} bigint" for n in range(width + 1)))
        jvm.org.apache.spark.sql.catalyst.expressions.UnsafeProjection.create(schema)


def compiled(session: SparkSession) -> int:
    """Classes that Spark has generated and compiled in this driver."""
    metrics = delta.jvm(session).org.apache.spark.metrics.source.CodegenMetrics
    return int(metrics.METRIC_COMPILATION_TIME().getCount())


if __name__ == "__main__":
    main()
