"""Planted bugs: each is the pipeline with one thing wrong, and the simulation has to notice every one of them."""

from collections.abc import Mapping
from typing import Final

from tests.simulation.bugs import intake, settling
from tests.simulation.model import Pipeline

_MODULES: Final = (intake, settling)
PLANTED: Final[tuple[type[Pipeline], ...]] = tuple(
    bug
    for module in _MODULES
    for bug in vars(module).values()
    if isinstance(bug, type) and bug.__module__ == module.__name__
)
"""Every bug, in the order of the modules."""

KNOWN: Final[Mapping[str, type[Pipeline]]] = {
    "no transaction id": intake.QuarantinedOnEachTry,
    "high-water dedup": intake.HighWaterMark,
    "processing time as order": intake.ProcessingTimeOrder,
    "processing time as interval": intake.ProcessingTimeInterval,
    "latest per batch": intake.LatestPerBatch,
    "two statements under one id": settling.TwoStatementsUnderOneId,
    "ignored tombstone": intake.DeleteIgnored,
    "delete of an unknown key dropped": intake.TombstonesOfUnknownKeys,
    "truncate dropped": intake.TruncateIgnored,
    "identity by Kafka offset": intake.IdentityByOffset,
    "snapshot rows by their own position": intake.SnapshotByPosition,
    "unchanged TOAST read as NULL": settling.PlaceholderIsNull,
    "first arrival wins a tie": settling.FirstArrivalWins,
    "clock that runs backwards": settling.ClockRunsBackwards,
    "settled position kept before the commit": settling.RememberedBeforeCommit,
}
"""The fifteen that other systems had, by their usual names."""
