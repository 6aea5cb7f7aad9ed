"""The single MERGE of Delta's documentation on an Iceberg table, with Iceberg's defaults: format 2, copy on write."""

import zlib
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from tests.benchmarks.single_merge import MERGE_KEY, SingleMerge, opened_version, staged_rows


@dataclass
class IcebergMerge(SingleMerge):
    """`begin` gives it the past of the folder's Delta table."""

    @property
    def name(self) -> str:
        """The table's, in a catalog of its own whose tables lie in the folder."""
        return f"iceberg_{zlib.crc32(bytes(self.folder))}.scd2"

    def begin(self, session: SparkSession) -> None:
        """Makes the table."""
        catalog = f"spark.sql.catalog.{self.name.partition('.')[0]}"
        session.conf.set(catalog, "org.apache.iceberg.spark.SparkCatalog")
        session.conf.set(f"{catalog}.type", "hadoop")
        session.conf.set(f"{catalog}.warehouse", str(self.folder / "iceberg"))
        session.read.format("delta").load(str(self.folder / "scd2")).writeTo(self.name).create()

    def merge(self, latest: DataFrame) -> None:
        """The same MERGE, in SQL."""
        session = latest.sparkSession
        current = session.table(self.name).where("_is_current")
        staged_rows(latest, current, self.table).createOrReplaceTempView("staged_changes")
        session.sql(self._statement())

    def _statement(self) -> str:
        (key,) = self.table.primary_key
        opened = opened_version(self.table)
        return f"""
            MERGE INTO {self.name} AS t USING staged_changes AS s ON t.{key} = s.{MERGE_KEY} AND t._is_current
            WHEN MATCHED THEN UPDATE SET t._is_current = false, t._effective_to = s.changed_at
            WHEN NOT MATCHED AND s.op NOT IN ('d', 'delete') THEN
              INSERT ({", ".join(opened)}) VALUES ({", ".join(opened.values())})
        """
