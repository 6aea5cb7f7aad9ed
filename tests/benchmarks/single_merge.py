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

_MERGE_KEY = "_merge_key"


@dataclass
class SingleMerge:
    """Parse, one row for each key, one MERGE; no rules, no metrics, no quarantine."""

    folder: Path
    table: Table
    envelope: str

    def write(self, records: DataFrame, batch: int) -> None:
        """Rows of known keys close the current version under their key and open the next one under none."""
        parsed = parse_image(records, self.table, self.envelope, has_deletes=True)
        latest = latest_rows(parsed, self.table).persist()
        try:
            self._merge(latest)
        finally:
            latest.unpersist()

    def _merge(self, latest: DataFrame) -> None:
        session, path = latest.sparkSession, str(self.folder / "scd2")
        target = DeltaTable.forPath(session, path)
        (key,) = self.table.primary_key
        # A read of its own: where the source isn't materialized, MERGE can't tell its target's columns from these.
        current = session.read.format("delta").load(path).where("_is_current").alias("t")
        known = latest.where(~is_delete()).alias("s").join(current, same_key(self.table)).select("s.*")
        new_versions = known.withColumn(_MERGE_KEY, F.lit(None).cast("bigint"))
        staged = new_versions.unionByName(latest.withColumn(_MERGE_KEY, F.col(key)))
        merge = target.alias("t").merge(
            staged.alias("s"), (F.col(f"t.{key}") == F.col(f"s.{_MERGE_KEY}")) & F.col("t._is_current")
        )
        closed = {"_is_current": F.lit(False), "_effective_to": F.col("s.changed_at")}
        matched = merge.whenMatchedUpdate(set=closed)
        matched.whenNotMatchedInsert(condition=~is_delete(), values=self._opened()).execute()

    def _opened(self) -> dict[str, object]:
        values: dict[str, object] = {name: F.col(f"s.{name}") for name in self.table.column_names}
        never = F.lit(None).cast("timestamp")
        return values | {"_effective_from": F.col("s.changed_at"), "_effective_to": never, "_is_current": F.lit(True)}
