"""The session of every rival, shared or its own: as in production, not as on a laptop."""

import os
from typing import Final

from pyspark.sql import SparkSession

from fluvial.io.session import ADAPTS, build_session
from fluvial.local.artifacts import ensure_artifacts, locked_jars, spark_jars
from fluvial.local.home import default_home
from fluvial.local.java import java_environment

CORES: Final = 2
# The laptop profile stops at the JVM's first compiler and collects garbage on one thread; a job that runs for months
# does neither. What else the product sets stays, for every rival: no adaptive execution, few shuffle partitions.
SETTINGS: Final = {
    "spark.master": f"local[{CORES}]",
    "spark.driver.memory": "3g",
    # Compiler threads that come and go would take their CPU time with them, uncounted. A heap that still grows has the
    # collector mark it more often in one run than in another.
    "spark.driver.extraJavaOptions": (
        "-Xms3g -XX:+UseG1GC -XX:ReservedCodeCacheSize=512m -XX:-UseDynamicNumberOfCompilerThreads "
        "-XX:+DisplayVMOutputToStderr"
    ),
    "spark.sql.shuffle.partitions": str(CORES),
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    # For those who use MERGE: a history's two partitions would limit it to two writers; its source is held already.
    "spark.databricks.delta.merge.repartitionBeforeWrite.enabled": "false",
    "spark.databricks.delta.merge.materializeSource": "none",
    "spark.ui.retainedJobs": "2000",
    "spark.ui.retainedStages": "2000",
    "spark.sql.ui.retainedExecutions": "50",
}
_TUNED: Final = (
    ADAPTS,
    "spark.sql.shuffle.partitions",
    "spark.sql.constraintPropagation.enabled",
    "spark.sql.codegen.hugeMethodLimit",
    "spark.sql.requireAllClusterKeysForCoPartition",
    "spark.databricks.delta.merge.repartitionBeforeWrite.enabled",
    "spark.databricks.delta.merge.materializeSource",
)
"""What makes small batches cheaper, of the product's settings and of these."""


def open_session() -> SparkSession:
    """This process's driver; PyDeequ reads SPARK_VERSION when it is imported."""
    os.environ.update(java_environment() | {"SPARK_VERSION": "3.5"})
    home = default_home()
    ensure_artifacts(home, ("spark", "iceberg"))
    return build_session("benchmarks", (*spark_jars(home), *locked_jars(home, "iceberg")), SETTINGS)


def with_defaults(session: SparkSession) -> SparkSession:
    """A session of the same driver that plans as Spark and Delta do when nobody tunes them."""
    plain = session.newSession()
    for name in _TUNED:
        plain.conf.unset(name)
    return plain
