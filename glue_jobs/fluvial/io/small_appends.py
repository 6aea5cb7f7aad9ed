"""Appends of a few rows to a Delta table, without Spark, which plans for a second what this writes in milliseconds.

Every now and then one of them compacts the table, so that the next ones cost what the first ones did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import structlog
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from fluvial.io.arrow_files import ArrowFiles
from fluvial.io.reason import reason

_ARROW_TYPES: Final[Mapping[str, pa.DataType]] = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}

_PROPERTIES: Final = {
    "delta.checkpointInterval": "10",
    "delta.logRetentionDuration": "interval 1 hour",
    "delta.deletedFileRetentionDuration": "interval 1 hour",
}
"""Who opens the table reads the last checkpoint and every commit since: of a hundred commits, delta-rs' default, that
takes 0.1 s. What a checkpoint still says of files that were compacted is kept as long as a query may need them."""

COMPACTED_EVERY: Final = 250
"""Versions. Each append reads the list of all files: of a thousand, that takes 20 ms."""

_OTHERS_AT_ONCE: Final = 10
"""Versions that other writers may make while one appends."""

_COMPACTED_BYTES: Final = 8 * 2**20
"""Files as large as this aren't written again."""

_log = structlog.get_logger()


@dataclass
class SmallTable:
    """A Delta table, which stays open between appends: to open it takes as much reading as ten commits, and more.

    Others may write it meanwhile, make it anew, or delete it. Threads append one after the other.
    """

    location: str
    _opened: DeltaTable | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def append(
        self,
        rows: Sequence[Sequence[object]],
        columns: Mapping[str, str],
        transaction: tuple[str, int] | None = None,
    ) -> None:
        """Appends rows in one commit, creating the table where needed; `columns` are DuckDB types, in the rows' order.

        With a `transaction` (app id, version) a retry writes nothing. Raises deltalake's CommitFailedError where
        another writer creates the table at the same moment, or others come first too many times: try again.
        """
        with self._lock:
            table, self._opened = self._newest(), None  # after a failure it is opened anew
            if table is None or transaction is None or _newest_transaction(table, transaction[0]) < transaction[1]:
                self._write(table, _as_arrow(rows, columns), transaction)
            self._opened = table

    def has_row(self, values: Mapping[str, object]) -> bool:
        """Whether it holds a row with these values; False where there is no table."""
        with self._lock:
            table = self._newest()
        if table is None:
            return False
        filters: list[tuple[str, str, Any]] = [(name, "=", value) for name, value in values.items()]
        return bool(table.to_pyarrow_table(columns=list(values), filters=filters).num_rows)

    def newest_transaction(self, app_id: str) -> int:
        """The newest version that an append with this app id was made under; -1 without one."""
        with self._lock:
            table = self._newest()
        return -1 if table is None else _newest_transaction(table, app_id)

    def _newest(self) -> DeltaTable | None:
        """The table as it is now; None where there is none."""
        if not DeltaTable.is_deltatable(self.location):
            return None
        if self._opened is not None:
            try:
                self._opened.update_incremental()
            except DeltaError:  # the commits since are gone, or it is another table
                self._opened = None
        return self._opened or DeltaTable(self.location)

    def _write(self, table: DeltaTable | None, rows: pa.Table, transaction: tuple[str, int] | None) -> None:
        noted = None if transaction is None else CommitProperties(app_transactions=[Transaction(*transaction)])
        if table is not None and _takes_files(table, rows.schema) and (added := self._written(rows)):
            table.create_write_transaction(added, "append", table.schema(), commit_properties=noted)
        else:
            _write_by_query(self.location if table is None else table, rows, noted)

    def _written(self, rows: pa.Table) -> list[AddAction | RemoveAction]:
        """The rows' file: delta-rs plans a query to write one, which takes as much again as all else of an append.

        Nothing where pyarrow may not write there, or doesn't know how: delta-rs has credentials of its own.
        """
        try:
            told = [json.loads(text)["add"] for text in self._files.write(rows, {}, rows.num_rows, _times(rows.schema))]
        except (pa.ArrowException, OSError) as error:
            _log.info("side table's file written by delta-rs", path=self.location, error=reason(error))
            return []
        return [
            AddAction(file["path"], file["size"], {}, file["modificationTime"], file["dataChange"], file["stats"])
            for file in told
        ]

    @cached_property
    def _files(self) -> ArrowFiles:
        return ArrowFiles(self.location)


def _as_arrow(rows: Sequence[Sequence[object]], columns: Mapping[str, str]) -> pa.Table:
    schema = pa.schema([pa.field(name, _ARROW_TYPES[kind]) for name, kind in columns.items()])
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=schema)


def _takes_files(table: DeltaTable, columns: pa.Schema) -> bool:
    """Whether a file with these columns may be added as it is.

    Not near a version at which this append would have to compact: it couldn't tell that it made that one.
    """
    if (table.version() + _OTHERS_AT_ONCE) // COMPACTED_EVERY > table.version() // COMPACTED_EVERY:
        return False
    return set(columns) <= set(pa.schema(table.schema().to_arrow()))


def _write_by_query(place: DeltaTable | str, rows: pa.Table, noted: CommitProperties | None) -> None:
    """Makes the table or adds columns where needed; only this way tells which version the commit made."""
    settings = {**_PROPERTIES, "delta.dataSkippingStatsColumns": ",".join(_times(rows.schema))}
    write_deltalake(place, rows, mode="append", schema_mode="merge", configuration=settings, commit_properties=noted)
    if isinstance(place, DeltaTable) and place.version() % COMPACTED_EVERY == 0:
        _compact(place)


def _compact(table: DeltaTable) -> None:
    """Makes few files of many; of several writers, the one whose append made the version does it, and no second one.

    Of two that compact at once delta-rs lets both add what they made of the same files.
    """
    try:
        table.optimize.compact(target_size=_COMPACTED_BYTES, max_concurrent_tasks=1)
        table.vacuum(dry_run=False)
    except Exception as error:  # noqa: BLE001 - the rows are there, and the next time makes up for this one
        _log.warning("side table not compacted", path=table.table_uri, error=reason(error))


def _times(columns: pa.Schema) -> list[str]:
    """Readers look for a span of time. Bounds of all columns would take a quarter of an append, and of the log."""
    return [field.name for field in columns if pa.types.is_timestamp(field.type)]


def _newest_transaction(table: DeltaTable, app_id: str) -> int:
    found = table.transaction_version(app_id)
    return -1 if found is None else found
