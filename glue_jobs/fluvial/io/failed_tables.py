"""What becomes of the tables that fail in a micro-batch: parked one by one, or all of them tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from fluvial.config.model import Table, UseCase
from fluvial.errors import CircuitOpenError, StorageError
from fluvial.io.gather import Gathered, Result
from fluvial.io.parked import BatchId, Share
from fluvial.io.parking import Parking
from fluvial.io.reason import cause, reason
from fluvial.io.table_writers import TableWriters
from fluvial.streams import BatchContext

_COMMON_TRIES: Final = 3
"""How often a batch in which every table fails is tried again before they are taken for ill one by one."""
_log = structlog.get_logger()


@dataclass
class FailedTables:
    """Of one lane; without `parking` a table that fails has the whole batch tried again."""

    use_case: UseCase
    writers: TableWriters
    parking: Parking | None
    _common: tuple[int, int] = field(default=(-1, 0), init=False)

    def waits(self, table: Table, shares: Mapping[str, Share]) -> bool:
        """Whether the table's share of a micro-batch has to wait, or has already been dealt with."""
        return self.parking is not None and self.parking.takes(table.name, shares[table.topic])

    def concerns(self, table: Table, context: BatchContext) -> bool:
        """Whether the table is parked, or its share of the micro-batch has already been dealt with."""
        batch = BatchId(context.query_id, context.batch_id)
        return self.parking is not None and self.parking.concerns(table.name, batch)

    def park(
        self, gathered: Gathered[Result], shares: Mapping[str, Share], context: BatchContext
    ) -> dict[str, Exception]:
        """Parks the tables that failed; returns those that the whole batch has to be tried again for."""
        for name, error in gathered.failed.items():
            _log.error("table failed", table=name, batch_id=context.batch_id, error=reason(error))
            self.writers.renew(name)
        if self.parking is None or self._is_common(gathered, context):
            return gathered.failed
        for name, error in gathered.failed.items():
            self._park(self.parking, name, error, shares, context)
        return {}

    def _park(
        self, parking: Parking, name: str, error: Exception, shares: Mapping[str, Share], context: BatchContext
    ) -> None:
        parking.park(name, shares[self.use_case.table(name).topic], reason(error), context.processed_at)
        if isinstance(error, CircuitOpenError):
            parking.open_circuit(name, reason(error), context.processed_at)

    def _is_common(self, gathered: Gathered[Result], context: BatchContext) -> bool:
        """Whether every one of several tables failed: that has rather one reason than many, so all are tried again."""
        if gathered.done or len(gathered.failed) < 2:  # noqa: PLR2004
            return False
        if any(isinstance(error, CircuitOpenError) for error in gathered.failed.values()):
            return False
        batch_id, tries = self._common
        self._common = (context.batch_id, tries + 1 if batch_id == context.batch_id else 1)
        return self._common[1] <= _COMMON_TRIES


def raise_failures(failed: Mapping[str, Exception]) -> None:
    """Raises StorageError where the whole batch has to be tried again for some tables."""
    if not failed:
        return
    names, first = ", ".join(sorted(failed)), next(iter(failed.values()))
    hint = "the batch is tried again as a whole; what the other tables wrote stays and is not written twice"
    hint = "; ".join(filter(None, (getattr(first, "hint", ""), hint)))
    raise StorageError(f"can't write {names}: {cause(first)}", hint) from first
