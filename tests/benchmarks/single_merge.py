"""SCD2 as Delta's documentation shows it: one MERGE whose source holds changed rows twice, once without a merge key.

Source: https://docs.delta.io/latest/delta-update.html (slowly changing data, Type 2)
"""

from dataclasses import dataclass
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fluvial.config.model import Table
from tests.benchmarks.close_then_append import is_delete, latest_rows, same_key
from tests.benchmarks.rivals import parse_image

MERGE_KEY = "_merge_key"


@dataclass
class SingleMerge:
    """Parse, one row for each key, one MERGE; no rules, no metrics, no quarantine."""

    folder: Path
    table: Table
    envelope: str

    def write(self, records: DataFrame, batch: int) -> None:
        """Parses and merges."""
        parsed = parse_image(records, self.table, self.envelope, has_deletes=True)
        latest = latest_rows(parsed, self.table).persist()
        try:
            self.merge(latest)
        finally:
            latest.unpersist()

    def merge(self, latest: DataFrame) -> None:
        """Rows of known keys close the current version under their key and open the next one under none."""
        session, path = latest.sparkSession, str(self.folder / "scd2")
        target = DeltaTable.forPath(session, path)
        (key,) = self.table.primary_key
        # A read of its own: where the source isn't materialized, MERGE can't tell its target's columns from these.
        current = session.read.format("delta").load(path).where("_is_current")
        staged = staged_rows(latest, current, self.table)
        merge = target.alias("t").merge(
            staged.alias("s"), (F.col(f"t.{key}") == F.col(f"s.{MERGE_KEY}")) & F.col("t._is_current")
        )
        closed = {"_is_current": F.lit(False), "_effective_to": F.col("s.changed_at")}
        matched = merge.whenMatchedUpdate(set=closed)
        opened = {name: F.expr(value) for name, value in opened_version(self.table).items()}
        matched.whenNotMatchedInsert(condition=~is_delete(), values=opened).execute()


def staged_rows(latest: DataFrame, current: DataFrame, table: Table) -> DataFrame:
    """The changes under their keys, and those of keys with a current version once more under none."""
    (key,) = table.primary_key
    known = latest.where(~is_delete()).alias("s").join(current.alias("t"), same_key(table)).select("s.*")
    new_versions = known.withColumn(MERGE_KEY, F.lit(None).cast("bigint"))
    return new_versions.unionByName(latest.withColumn(MERGE_KEY, F.col(key)))


def opened_version(table: Table) -> dict[str, str]:
    """The columns of a new version, as SQL over the changes `s`."""
    values = {name: f"s.{name}" for name in table.column_names}
    never = "CAST(NULL AS timestamp)"
    return values | {"_effective_from": "s.changed_at", "_effective_to": never, "_is_current": "true"}
