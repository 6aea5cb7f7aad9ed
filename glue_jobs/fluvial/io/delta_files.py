"""A Delta table as the Parquet files of one version, so that DuckDB reads it without a JVM."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from fluvial.errors import StorageError
from fluvial.io.commits import Settled, read_commit_file, walk_back
from fluvial.io.duckdb_types import duckdb_type_of_field
from fluvial.sql_text import literal, quote

_READABLE_FEATURES: Final = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
_PLAIN_READER: Final = 1


@dataclass(frozen=True)
class FileGroup:
    """Data files that share their partition values."""

    partition: Mapping[str, object]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class DeltaSnapshot:
    """One version of a Delta table: columns as DuckDB types, files by partition."""

    location: str
    table_id: str
    version: int
    columns: Mapping[str, str]
    groups: tuple[FileGroup, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every data file of this version."""
        return tuple(path for group in self.groups for path in group.paths)


def read_snapshot(location: str, version: int | None = None) -> DeltaSnapshot | None:
    """The table at `version` (newest without one); None where no table was written yet."""
    if not (Path(location) / "_delta_log").is_dir():
        return None
    try:
        table = DeltaTable(location, version=version)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise StorageError(f"{location}: {error}", "the table's own log is damaged or that version is gone") from error
    _require_plain_reader(table, location)
    groups = _file_groups(table, Path(location))
    return DeltaSnapshot(location, str(table.metadata().id), table.version(), _columns(table), groups)


def settled_log(history: DeltaSnapshot) -> Settled | None:
    """Which version of which log this version of a history holds; None where no commit says so."""
    return walk_back(partial(read_commit_file, history.location), history.version).settled


def rows_sql(connection: duckdb.DuckDBPyConnection, snapshot: DeltaSnapshot | None, columns: Mapping[str, str]) -> str:
    """A SELECT with at least these columns, those that the table lacks as NULL; without a table it gives no row."""
    if snapshot is None:
        return empty_sql(columns)
    missing = [
        f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in columns.items() if name not in snapshot.columns
    ]
    return f"SELECT {', '.join(['*', *missing])} FROM ({scan_sql(connection, snapshot)})"  # noqa: S608


def scan_sql(connection: duckdb.DuckDBPyConnection, snapshot: DeltaSnapshot) -> str:
    """A SELECT over the snapshot's files; columns that no file holds come out as typed NULLs."""
    if not snapshot.paths:
        return empty_sql(snapshot.columns)
    return " UNION ALL ".join(_group_sql(connection, snapshot, group) for group in snapshot.groups)


def empty_sql(columns: Mapping[str, str]) -> str:
    """A SELECT with these columns and no row."""
    nulls = ", ".join(f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in columns.items())
    return f"SELECT {nulls} WHERE false"


def _require_plain_reader(table: DeltaTable, location: str) -> None:
    protocol = table.protocol()
    unknown = sorted(set(protocol.reader_features or ()) - _READABLE_FEATURES)
    if unknown or (protocol.min_reader_version > _PLAIN_READER and protocol.reader_features is None):
        needed = ", ".join(unknown) or f"reader version {protocol.min_reader_version}"
        raise StorageError(
            f"{location}: needs Delta reader features that fluvial's own reader lacks: {needed}",
            "read this table with Spark, or drop the feature with ALTER TABLE ... DROP FEATURE",
        )


def _columns(table: DeltaTable) -> dict[str, str]:
    fields = json.loads(table.schema().to_json())["fields"]
    return {field["name"]: duckdb_type_of_field(field["type"]) for field in fields}


def _file_groups(table: DeltaTable, root: Path) -> tuple[FileGroup, ...]:
    groups: dict[str, tuple[dict[str, object], list[str]]] = {}
    partitioned = bool(table.metadata().partition_columns)
    for action in pa.table(table.get_add_actions()).to_pylist():
        partition: dict[str, Any] = action["partition"] if partitioned else {}
        # The log holds percent-encoded paths relative to the table.
        groups.setdefault(repr(partition), (partition, []))[1].append(str(root / unquote(action["path"])))
    return tuple(FileGroup(partition, tuple(sorted(paths))) for _, (partition, paths) in sorted(groups.items()))


def _group_sql(connection: duckdb.DuckDBPyConnection, snapshot: DeltaSnapshot, group: FileGroup) -> str:
    files = f"read_parquet([{', '.join(map(literal, group.paths))}], union_by_name = true, hive_partitioning = false)"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}  # noqa: S608
    return f"SELECT {', '.join(_column_sql(snapshot, group, found))} FROM {files}"  # noqa: S608 - parts are quoted


def _column_sql(snapshot: DeltaSnapshot, group: FileGroup, found: set[str]) -> list[str]:
    values = {name: "NULL" if value is None else literal(str(value)) for name, value in group.partition.items()}
    sources = {name: values.get(name, quote(name) if name in found else "NULL") for name in snapshot.columns}
    return [f"CAST({sources[name]} AS {kind}) AS {quote(name)}" for name, kind in snapshot.columns.items()]
