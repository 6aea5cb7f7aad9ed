"""SCD2 without Spark: DuckDB parses, delta-rs merges, by the same single MERGE as in Delta's documentation."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import DataFrame

from fluvial.config.model import Table

_MERGE_KEY: Final = "_merge_key"
_CLOSED: Final = {"_is_current": "false", "_effective_to": "s.changed_at"}


@dataclass
class DeltaRs:
    """Parse, one row for each key, one MERGE; no rules, no metrics, no quarantine. For Debezium's envelope."""

    folder: Path
    table: Table

    def write(self, records: DataFrame, batch: int) -> None:
        """Reads the batch's files without Spark."""
        self.merge([unquote(urlsplit(uri).path) for uri in records.inputFiles()])

    def merge(self, files: list[str]) -> None:
        """Rows of known keys close the current version under their key and open the next one under none."""
        target = DeltaTable(str(self.folder / "scd2"))
        merge = target.merge(
            self._staged(files, target),
            predicate=f"t.{self._key} = s.{_MERGE_KEY} AND t._is_current",
            source_alias="s",
            target_alias="t",
        )
        matched = merge.when_matched_update(updates=_CLOSED)
        matched.when_not_matched_insert(updates=self._opened(), predicate="s.op <> 'd'").execute()

    @property
    def _key(self) -> str:
        (key,) = self.table.primary_key
        return key

    def _staged(self, files: list[str], target: DeltaTable) -> pa.Table:
        """The latest row of each key under its key, and once more under none where the key has a current version."""
        known = f"SELECT {self._key} FROM target WHERE _is_current"
        query = f"""
            WITH latest AS MATERIALIZED ({self._latest()})
            SELECT *, {self._key} AS {_MERGE_KEY} FROM latest
            UNION ALL
            SELECT *, NULL FROM latest SEMI JOIN ({known}) USING ({self._key}) WHERE op <> 'd'
        """
        with duckdb.connect() as connection:
            connection.register("target", target.to_pyarrow_dataset())
            found = connection.sql(query, params=[files])
            assert found is not None
            return found.to_arrow_table()

    def _latest(self) -> str:
        """The newest row of each key, over the records in the files that it is given."""
        parsed = f"SELECT from_json(decode(value), '{json.dumps(self._shape())}') AS e FROM read_parquet(?)"
        rows = f"""
            SELECT unnest(coalesce(e.after, e.before)), e.op AS op, make_timestamptz(e.ts_ms * 1000) AS changed_at
            FROM ({parsed})
        """
        order = f"PARTITION BY {self._key} ORDER BY changed_at DESC"
        return f"SELECT * FROM ({rows}) QUALIFY row_number() OVER ({order}) = 1"

    def _shape(self) -> dict[str, object]:
        row = {column.name: _sql_type(column.type) for column in self.table.columns}
        return {"op": "VARCHAR", "ts_ms": "BIGINT", "before": row, "after": row}

    def _opened(self) -> dict[str, str]:
        values = {name: f"s.{name}" for name in self.table.column_names}
        return values | {"_effective_from": "s.changed_at", "_is_current": "true"}


def _sql_type(spark_type: str) -> str:
    names = {"string": "VARCHAR", "timestamp": "TIMESTAMPTZ"}
    return names.get(spark_type, spark_type.upper())
