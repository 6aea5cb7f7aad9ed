"""The design that most teams write: seven steps for each micro-batch, SCD2 by a MERGE that closes and an append.

Written with care: the parsed rows are held, one row for each key is kept, the quarantine is skipped when it is empty.
"""

import operator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fluvial.config.model import Table
from tests.benchmarks.deequ import range_condition, verify_batch
from tests.benchmarks.rivals import parse_image


@dataclass
class CloseThenAppend:
    """Parse, split, quarantine, transform, Deequ, MERGE, append."""

    folder: Path
    table: Table
    envelope: str
    has_deequ: bool = True

    def write(self, records: DataFrame, batch: int) -> None:
        """The seven steps."""
        parsed = parse_image(records, self.table, self.envelope, has_deletes=True).persist()
        try:
            is_bad = breaks_a_rule(self.table)
            self._quarantine(parsed.where(is_bad), batch)
            good = parsed.where(~is_bad)
            if self.has_deequ:
                verify_batch(good, self.table, self.folder / "deequ_metrics")
            self.upsert(transformed(good, self.table))
        finally:
            parsed.unpersist()

    def _quarantine(self, bad: DataFrame, batch: int) -> None:
        if not bad.isEmpty():
            rows = bad.withColumn("batch", F.lit(batch)).withColumn("quarantined_at", F.current_timestamp())
            rows.write.format("delta").mode("append").save(str(self.folder / "quarantine"))

    def upsert(self, rows: DataFrame) -> None:
        """Closes the current versions of the batch's keys, then appends the new ones."""
        path, latest = str(self.folder / "scd2"), latest_rows(rows, self.table)
        if DeltaTable.isDeltaTable(rows.sparkSession, path):
            close_versions(DeltaTable.forPath(rows.sparkSession, path), latest, self.table)
        opened = latest.where(~is_delete()).withColumnRenamed("changed_at", "_effective_from")
        versions = opened.withColumn("_effective_to", F.lit(None).cast("timestamp")).withColumn(
            "_is_current", F.lit(True)
        )
        versions.drop("op").write.format("delta").mode("append").save(path)


def breaks_a_rule(table: Table) -> Column:
    """Any rule of severity error; a NULL passes, so that no row is lost between the two filters."""
    columns = [rule.column for rule in table.dq_rules if rule.severity == "error"]
    kept = " AND ".join(range_condition(table, column) for column in columns)
    return F.expr(f"coalesce(NOT ({kept}), false)")


def transformed(rows: DataFrame, table: Table) -> DataFrame:
    """The same transforms as Fluvial's."""
    rounded = {
        change.column: F.round(change.column, change.params.decimals)
        for change in table.transforms
        if change.type == "round"
    }
    return rows.withColumns(rounded)


def latest_rows(rows: DataFrame, table: Table) -> DataFrame:
    """One row for each key: the intermediate versions are lost, as they are in this design."""
    newest = Window.partitionBy(*table.primary_key).orderBy(F.col("changed_at").desc())
    return rows.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1").drop("_rank")


def is_delete() -> Column:
    """In both envelopes' spelling."""
    return F.col("op").isin("d", "delete")


def same_key(table: Table) -> Column:
    """Target `t` against source `s`."""
    return reduce(operator.and_, (F.col(f"t.{name}") == F.col(f"s.{name}") for name in table.primary_key))


def close_versions(target: DeltaTable, latest: DataFrame, table: Table) -> None:
    """The MERGE of this design."""
    closed = {"_is_current": F.lit(False), "_effective_to": F.col("s.changed_at")}
    condition = same_key(table) & F.col("t._is_current")
    target.alias("t").merge(latest.alias("s"), condition).whenMatchedUpdate(set=closed).execute()
