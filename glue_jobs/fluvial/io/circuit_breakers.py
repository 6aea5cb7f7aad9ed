"""Refuses a table's share of a micro-batch where so much of it is bad that it should wait instead."""

from dataclasses import dataclass
from typing import Final

from pyspark.sql import functions as F

from fluvial.config.circuit_breaker import CircuitBreaker
from fluvial.config.model import Table, UseCase
from fluvial.errors import CircuitOpenError
from fluvial.io.checked_batch import CheckedBatch
from fluvial.quality.bad_records import BROKEN, count_broken

_MOST_TOLD: Final = 3
"""Rules and reasons."""


@dataclass(frozen=True)
class CircuitBreakers:
    """Of a use case's tables, for a writer whose refused shares can wait."""

    use_case: UseCase

    def hold(self, table: Table, batch: CheckedBatch) -> None:
        """Raises CircuitOpenError where too much of the batch is bad."""
        breaker = self.use_case.circuit_breaker(table)
        if breaker is not None and breaker.opens(_bad(batch), _events(batch)):
            raise _open(table, batch, breaker)


def _bad(batch: CheckedBatch) -> int:
    return batch.summary.violated + batch.summary.dead_letters


def _events(batch: CheckedBatch) -> int:
    """Records that are change events, or should be."""
    return batch.summary.events + batch.summary.dead_letters


def _open(table: Table, batch: CheckedBatch, breaker: CircuitBreaker) -> CircuitOpenError:
    bad, events = _bad(batch), _events(batch)
    found = f"{bad:,} of {events:,} change events of {table.name} are bad ({_most_broken(batch)})"
    return CircuitOpenError(
        f"{found}, {bad / events:.0%}, and its circuit breaker opens at {breaker.share:.0%}",
        f"mend the source or the rules, then `fluvial down`, `fluvial parked resume {table.name}`, `fluvial up`; "
        "with `--quarantine` what is bad is set aside and the rest is written",
    )


def _most_broken(batch: CheckedBatch) -> str:
    """The rules and reasons that most of the bad records share; by one more Spark job."""
    counts = count_broken(batch.held.records).orderBy(F.desc("count"), BROKEN).limit(_MOST_TOLD).collect()
    return ", ".join(f"{row[BROKEN]}: {row['count']:,}" for row in counts)
