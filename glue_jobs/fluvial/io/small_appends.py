"""Appends of a few rows to a Delta table, without Spark, which plans for a second what this writes in milliseconds.

Every now and then one of them compacts the table, so that the next ones cost what the first ones did.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import structlog
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

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
"""Each append reads the last checkpoint and every commit since: of a hundred commits, delta-rs' default, that takes
0.1 s. What a checkpoint still says of files that were compacted is kept as long as a query may need them."""

COMPACTED_EVERY: Final = 250
"""Versions. Each append reads the list of all files: of a thousand, that takes 20 ms."""

_COMPACTED_BYTES: Final = 8 * 2**20
"""Files as large as this aren't written again."""

_log = structlog.get_logger()


def append_rows(
    location: str,
    rows: Sequence[Sequence[object]],
    columns: Mapping[str, str],
    transaction: tuple[str, int] | None = None,
) -> None:
    """Appends rows in one commit, creating the table where needed; `columns` are DuckDB types, in the rows' order.

    With a `transaction` (app id, version) a retry writes nothing. Raises deltalake's CommitFailedError where another
    writer creates the table at the same moment.
    """
    table = _table(location)
    if table is not None and transaction is not None and _newest(table, transaction[0]) >= transaction[1]:
        return
    schema = pa.schema([pa.field(name, _ARROW_TYPES[kind]) for name, kind in columns.items()])
    data = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=schema)
    noted = None if transaction is None else CommitProperties(app_transactions=[Transaction(*transaction)])
    write_deltalake(
        location if table is None else table,
        data,
        mode="append",
        schema_mode="merge",
        configuration={**_PROPERTIES, "delta.dataSkippingStatsColumns": ",".join(_times(columns))},
        commit_properties=noted,
    )
    if table is not None and table.version() % COMPACTED_EVERY == 0:
        _compact(table)


def _compact(table: DeltaTable) -> None:
    """Makes few files of many; of several writers, the one whose append made the version does it."""
    try:
        table.optimize.compact(target_size=_COMPACTED_BYTES, max_concurrent_tasks=1)
        table.vacuum(dry_run=False)
    except Exception as error:  # noqa: BLE001 - the rows are there, and the next time makes up for this one
        _log.warning("side table not compacted", path=table.table_uri, error=reason(error))


def has_row(location: str, values: Mapping[str, object]) -> bool:
    """Whether a table holds a row with these values; False where there is no table."""
    table = _table(location)
    if table is None:
        return False
    filters: list[tuple[str, str, Any]] = [(name, "=", value) for name, value in values.items()]
    return bool(table.to_pyarrow_table(columns=list(values), filters=filters).num_rows)


def newest_transaction(location: str, app_id: str) -> int:
    """The newest version that an append with this app id was made under; -1 without one."""
    table = _table(location)
    return -1 if table is None else _newest(table, app_id)


def _table(location: str) -> DeltaTable | None:
    return DeltaTable(location) if DeltaTable.is_deltatable(location) else None


def _times(columns: Mapping[str, str]) -> list[str]:
    """Readers look for a span of time. Bounds of all columns would take a quarter of an append, and of the log."""
    return [name for name, kind in columns.items() if kind == "TIMESTAMPTZ"]


def _newest(table: DeltaTable, app_id: str) -> int:
    found = table.transaction_version(app_id)
    return -1 if found is None else found
