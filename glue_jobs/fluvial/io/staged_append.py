"""Rows that lie in a table's folder and in no version of the table: written, audited, then published or discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import structlog
from pyspark.sql import DataFrame

from fluvial.io.delta import Snapshot
from fluvial.io.delta_transaction import DeltaTransaction
from fluvial.io.reason import reason
from fluvial.io.small_reads import read_columns

_log = structlog.get_logger()


@dataclass
class StagedAppend:
    """Files to `commit` or to `discard`. A crash leaves them behind, and the next VACUUM removes them."""

    transaction: DeltaTransaction
    files: Sequence[Any]
    """Delta's AddFiles; none once their fate is decided."""

    @property
    def table(self) -> Snapshot | None:
        """The table that they were written for."""
        return self.transaction.snapshot

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of the rows, by the driver, while their fate is open."""
        return read_columns(self.transaction.path, {unquote(file.path()): file.size() for file in self.files}, columns)

    def commit(self, note: str) -> int:
        """Publishes the rows, and returns the version that holds them.

        From here on nothing is discarded: a commit that fails may have come through.
        """
        files, self.files = self.files, ()
        return self.transaction.commit(files, note, is_append=True)

    def discard(self) -> None:
        """Deletes the files, unless they were to be published."""
        files, self.files = self.files, ()
        try:
            self._delete(files)
        except Exception as error:  # noqa: BLE001 - what stays is in no version of the table
            _log.warning("staged files stay until the next VACUUM", path=self.transaction.path, error=reason(error))

    def _delete(self, files: Sequence[Any]) -> None:
        log = self.transaction.log
        for file in files:
            path = file.absolutePath(log)
            path.getFileSystem(log.newDeltaHadoopConf()).delete(path, False)


def stage_append(rows: DataFrame, path: str) -> StagedAppend:
    """Writes the rows beside those of a table that exists and has every column of theirs."""
    transaction = DeltaTransaction(rows.sparkSession, path)
    return StagedAppend(transaction, transaction.write_files(rows))
