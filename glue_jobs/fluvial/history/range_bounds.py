"""How far a range of log rows reaches, and what of log and history can matter to it, as literals that skip files."""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial import columns as c
from fluvial.history.epoch import snapshot_start
from fluvial.history.key_range import ANY_KEY, KeyRange
from fluvial.streams import History, LogRows


@dataclass(frozen=True)
class Keyless:
    """How far the keyless rows of some log rows reach: the highest sequence, the latest commit time (µs since 1970)."""

    sequence: str
    commit_micros: int


def later(one: Keyless | None, other: Keyless | None) -> Keyless | None:
    """How far both together reach."""
    if one is None or other is None:
        return one or other
    return Keyless(max(one.sequence, other.sequence), max(one.commit_micros, other.commit_micros))


@dataclass(frozen=True)
class RangeBounds:
    """Bounds of a range of log rows; as literals they let whole files be skipped.

    `min_sequence` is the lowest from which a version may change, `min_commit_micros` are microseconds since 1970. What
    begins with `log_` speaks of the whole log: its keyless rows, and whether any row leaves a column unauthored. `keys`
    are those of the range's own rows; `touches_many` is true where the touched ones may be too many for a task to hold.
    """

    min_sequence: str
    min_commit_micros: int
    keyless: Keyless | None
    log_keyless: Keyless | None
    log_has_partial: bool
    keys: KeyRange = ANY_KEY
    touches_many: bool = False

    @property
    def touched(self) -> KeyRange:
        """Where the keys lie whose versions the range can change: a keyless row touches every key."""
        return self.keys if self.keyless is None else ANY_KEY

    @property
    def has_near_keyless(self) -> bool:
        """Whether a keyless row can matter to versions from `min_sequence` on; where none can, the plan is smaller."""
        found = self.log_keyless
        is_behind = found is not None and found.sequence >= self.min_sequence
        return is_behind or (found is not None and found.commit_micros > self.min_commit_micros)


def near_versions(history: History, bounds: RangeBounds) -> History:
    """The versions that a range can change, and their keys' bases among them."""
    return History(history.where(reaches(bounds.min_sequence)))


def near_rows(log: LogRows, bounds: RangeBounds) -> LogRows:
    """Log rows that can matter to a range: from its first sequence on, and those before it with a later commit time."""
    # As an array the bound isn't part of the generated code, which then serves every range.
    is_later = F.array(c.COMMIT_TIME) > F.array(F.timestamp_micros(F.lit(bounds.min_commit_micros)))
    return LogRows(log.where((F.col(c.SEQUENCE) >= bounds.min_sequence) | is_later))


def changed_by(near: History, keyless: Keyless) -> History:
    """Versions that a keyless row may close, and those that begin behind it by sequence but before it by the clock.

    A truncate closes what was streamed at its own sequence, too. Rows of a snapshot that its own boundary follows are
    neither, so that a first snapshot isn't derived twice.
    """
    sequence, begins_later = F.col(c.SEQUENCE), F.timestamp_micros(F.lit(keyless.commit_micros))
    is_tied = (sequence == keyless.sequence) & snapshot_start(sequence).isNull()
    return History(near.where((sequence < keyless.sequence) | is_tied | (F.col(c.EFFECTIVE_FROM) < begins_later)))


def reaches(sequence: str) -> Column:
    """Versions open at a sequence or later: literals against the history's statistics, so closed files are skipped."""
    return F.col(c.END_SEQUENCE).isNull() | (F.col(c.END_SEQUENCE) >= sequence)
