"""The start of an epoch, as a sequence: behind everything the capture sent before, ahead of the epoch's snapshot."""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

_START: Final = ".0.0000000000000000"
_EPOCH_DIGITS: Final = 4
FIRST_EPOCH_START: Final = "0" * _EPOCH_DIGITS + _START
"""Where everything begins."""
_SNAPSHOT_RANK: Final = ".0."


def epoch_start(sequence: Column) -> Column:
    """Where the epoch of a sequence begins."""
    return F.concat(F.substring(sequence, 1, _EPOCH_DIGITS), F.lit(_START))


def reach_of(sequence: Column) -> Column:
    """From where on an event at `sequence` may change versions: a snapshot's row may undo an inferred delete.

    Such a version is marked as uncertain from the epoch's start on, so it has to be derived from there.
    """
    return F.coalesce(snapshot_start(sequence), sequence)


def snapshot_start(sequence: Column) -> Column:
    """Where the epoch of a snapshot's row begins; NULL for a streamed change."""
    rank = F.substring(sequence, _EPOCH_DIGITS + 1, len(_SNAPSHOT_RANK))
    return F.when(rank == _SNAPSHOT_RANK, epoch_start(sequence))


def reach_of_text(sequence: str) -> str:
    """`reach_of`, for a literal."""
    is_snapshot = sequence[_EPOCH_DIGITS:].startswith(_SNAPSHOT_RANK)
    return sequence[:_EPOCH_DIGITS] + _START if is_snapshot else sequence
