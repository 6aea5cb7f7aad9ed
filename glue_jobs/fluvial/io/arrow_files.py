"""Data files of a Delta table, read into memory and written from it without Spark.

What is written is no part of the table before a transaction adds it; a process that dies in between leaves files that
VACUUM removes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from fluvial.io.delta_statistics import statistics_text

_SPARK_VERSION: Final = "org.apache.spark.version"
_READ_AT_ONCE: Final = 2_048
"""Rows."""
_REPEATS: Final = 0.5
"""A column whose values are mostly different gets no dictionary."""
_SAMPLE: Final = 1_000
"""Rows that tell."""


class UnsuitedError(Exception):
    """Too much for this process's memory, refused to it, or stored in a way that only Spark reads rightly."""


@dataclass(frozen=True)
class StoredFile:
    """Of one of Delta's AddFiles: where it lies below the table's folder, and its rows; 0 where nobody knows."""

    path: str
    rows: int

    @property
    def name(self) -> str:
        """As the rows of a frame tell it."""
        return self.path.rpartition("/")[2]


def stored_file(file: Any) -> StoredFile:
    """Of an AddFile of the JVM's; raises UnsuitedError where not all of its rows count, or it lies elsewhere."""
    told = json.loads(file.json())["add"]
    path = unquote(told["path"])
    if told.get("deletionVector") is not None or urlsplit(path).scheme or path.startswith("/"):
        raise UnsuitedError(f"{path} isn't a plain file of the table")
    return StoredFile(path, json.loads(told.get("stats") or "{}").get("numRecords", 0))


@dataclass(frozen=True)
class ArrowFiles:
    """The data files below a table's folder: a path, or an address such as s3://bucket/folder.

    Where it is given, `made_for` is noted in files that are written: a Spark of this version reads them as one that it
    wrote. Of others it can't tell which calendar old dates are of, and refuses them.
    """

    location: str
    made_for: str = ""

    @cached_property
    def _place(self) -> tuple[FileSystem, str]:
        is_address = "://" in self.location
        place = self.location.replace("s3a://", "s3://", 1) if is_address else str(Path(self.location).absolute())
        files, root = FileSystem.from_uri(place)
        return files, root

    def read(self, file: StoredFile, schema: pa.Schema, most_bytes: int) -> pa.Table:
        """The file's rows with these columns, NULL in those that it lacks.

        Raises UnsuitedError where they take more memory.
        """
        files, root = self._place
        taken, batches = 0, []
        with files.open_input_file(f"{root}/{file.path}") as opened, pq.ParquetFile(opened) as parquet:
            known = {name.lower(): name for name in parquet.schema_arrow.names}
            found = [known[name.lower()] for name in schema.names if name.lower() in known]
            for batch in parquet.iter_batches(_READ_AT_ONCE, columns=found):
                taken += batch.nbytes
                if taken > most_bytes:
                    raise UnsuitedError(f"more than {most_bytes} bytes")
                batches.append(batch)
        return _as_schema(pa.Table.from_batches(batches, _part(parquet.schema_arrow, found)), schema)

    def write(
        self, rows: pa.Table, partition: Mapping[str, str], most_rows: int, statistics: Sequence[str]
    ) -> Iterator[str]:
        """Writes rows of one partition, so many a file; gives Delta's actions that add them, as JSON.

        `statistics` names the columns of which they tell bounds.
        """
        folder = "".join(f"{name}={value}/" for name, value in partition.items())
        for start in range(0, rows.num_rows, most_rows):
            part = rows.slice(start, most_rows).combine_chunks()
            path = f"{folder}part-00000-{uuid4()}.c000.zstd.parquet"
            size = self._write(part, path)
            told = {"path": path, "partitionValues": dict(partition), "size": size, "dataChange": True}
            told |= {"modificationTime": self._written_at(path), "stats": statistics_text(part, statistics)}
            yield json.dumps({"add": told})

    def _write(self, rows: pa.Table, path: str) -> int:
        files, root = self._place
        if files.type_name == "local":
            files.create_dir(f"{root}/{path}".rpartition("/")[0])
        repeats = [name for name in rows.column_names if _repeats(rows[name])]
        encodings = {field.name: found for field in rows.schema if (found := _encoding(field)) is not None}
        settings: dict[str, Any] = {
            "compression": "zstd",
            "data_page_version": "2.0",
            "use_dictionary": repeats,
            "column_encoding": {name: kind for name, kind in encodings.items() if name not in repeats},
            "store_decimal_as_integer": True,
            "store_schema": False,
        }
        with files.open_output_stream(f"{root}/{path}") as opened:
            with pq.ParquetWriter(opened, rows.schema, **settings) as parquet:
                parquet.write_table(rows, row_group_size=rows.num_rows)
                if self.made_for:
                    parquet.add_key_value_metadata({_SPARK_VERSION: self.made_for})
            return int(opened.tell())

    def _written_at(self, path: str) -> int:
        """In milliseconds since 1970, as the store tells it."""
        files, root = self._place
        return int(files.get_file_info(f"{root}/{path}").mtime_ns // 1_000_000)


def _part(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in names])


def _as_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    found = {name.lower(): rows[name] for name in rows.column_names}
    columns = [
        found[field.name.lower()].cast(field.type) if field.name.lower() in found else _nulls(field, rows.num_rows)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _nulls(field: pa.Field, rows: int) -> pa.Array:
    return pa.nulls(rows, field.type)


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a dictionary would save room, by the first rows; lists always get one."""
    if pa.types.is_list(column.type):
        return True
    sample = column.slice(0, _SAMPLE)
    return bool(len(sample)) and pc.count_distinct(sample, "all").as_py() < _REPEATS * len(sample)


def _encoding(field: pa.Field) -> str | None:
    """What Parquet's second version has for values that differ; None where it has nothing."""
    kind = field.type
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "DELTA_BINARY_PACKED"
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return "DELTA_BYTE_ARRAY"
    return None
