"""PyDeequ as its readme shows it: one VerificationSuite for each micro-batch, its metrics appended to a table."""

from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fluvial.config.model import DeequCheck, Table
from fluvial.io.checked_batch import CheckedBatch
from tests.benchmarks.rivals import FastPath


def verify_batch(rows: DataFrame, table: Table, metrics: Path) -> None:
    """The table's metrics as Deequ constraints; the metrics that came out are stored."""
    from pydeequ.checks import Check, CheckLevel
    from pydeequ.verification import VerificationResult, VerificationSuite

    session = rows.sparkSession
    empty = Check(session, CheckLevel.Warning, table.name)
    check = reduce(lambda check, wanted: _constrain(check, wanted, table), table.deequ_checks, empty)
    result = VerificationSuite(session).onData(rows).addCheck(check).run()
    frame = VerificationResult.successMetricsAsDataFrame(session, result)
    stored = DataFrame(frame._jdf, session).withColumn("measured_at", F.current_timestamp())
    stored.coalesce(1).write.format("delta").mode("append").save(str(metrics))


def _constrain(check, wanted: DeequCheck, table: Table):  # noqa: ANN001, ANN202 - PyDeequ has no types
    if wanted.metric == "size":
        return check.hasSize(lambda size: size >= wanted.threshold)
    if wanted.metric == "completeness":
        return check.hasCompleteness(wanted.column, lambda share: share >= wanted.threshold)
    if wanted.metric == "uniqueness":
        return check.hasUniqueness([wanted.column], lambda share: share >= wanted.threshold)
    condition = range_condition(table, wanted.column or "")
    return check.satisfies(condition, f"{wanted.column} keeps its rules", lambda share: share >= wanted.threshold)


def range_condition(table: Table, column: str) -> str:
    """The column's range rule as SQL."""
    (bounds,) = (rule.params for rule in table.dq_rules if rule.column == column and rule.type == "range")
    return f"{column} BETWEEN {bounds.min} AND {bounds.max}"


def stop_callbacks(session: SparkSession) -> None:
    """PyDeequ's assertions run in this process: without this the driver never ends."""
    session.sparkContext._gateway.shutdown_callback_server()


class FastPathWithDeequ(FastPath):
    """The fast path, and PyDeequ over the rows that it has judged and holds."""

    def inspect(self, checked: CheckedBatch) -> None:
        """One VerificationSuite."""
        verify_batch(checked.held.records, self.writer.table, self.folder / "deequ_metrics")
