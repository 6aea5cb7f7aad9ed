"""The newest files of a log, kept from settle to settle.

To ask Delta which files hold late events is a Spark job over the table's whole state. What this process saw added since
tells the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fluvial import columns as c
from fluvial.history.file_statistics import CUT_OFF
from fluvial.history.range_bounds import RangeBounds
from fluvial.io.log_bounds import Reach

_MOST: Final = 1_000
"""Files to keep; of more, the older half is forgotten."""


@dataclass(frozen=True)
class LogFile:
    """One of Delta's AddFiles, and how far its rows reach; None where nobody knows."""

    file: Any
    reach: Reach | None

    def is_near(self, bounds: RangeBounds) -> bool:
        """Whether some row of it can matter to a range."""
        return self.reach is None or not self.reach.is_before(bounds)


@dataclass(frozen=True)
class LogTail:
    """Files of one version of a log. No row of the others reaches beyond `others`."""

    table_id: str
    version: int
    others: Reach
    files: tuple[LogFile, ...]

    def find(self, bounds: RangeBounds) -> list[Any] | None:
        """The files with rows that can matter to a range; None where others may have some."""
        if not self.others.is_before(bounds):
            return None
        return [each.file for each in self.files if each.is_near(bounds)]

    def after(self, version: int, added: Sequence[Any]) -> "LogTail":
        """The files once the next version has added some."""
        files = (*self.files, *map(log_file, added))
        if len(files) <= _MOST:
            return replace(self, version=version, files=files)
        old, kept = files[: _MOST // 2], files[_MOST // 2 :]
        unknown = tuple(each for each in old if each.reach is None)
        return LogTail(self.table_id, version, _farthest(self.others, old), (*unknown, *kept))


def log_file(file: Any) -> LogFile:
    """An AddFile with what its statistics say."""
    read: dict[str, Any] = json.loads(file.stats() or "{}")
    highest = read.get("maxValues", {})
    sequence, commit_micros = highest.get(c.SEQUENCE), _micros(highest.get(c.COMMIT_TIME))
    return LogFile(file, None if sequence is None or commit_micros is None else Reach(sequence, commit_micros))


def _micros(time: str | None) -> int | None:
    """None for one that Python can't hold."""
    try:
        read = datetime.fromisoformat(time or "") + CUT_OFF
    except (ValueError, OverflowError):
        return None
    return (read - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _farthest(reach: Reach, files: Sequence[LogFile]) -> Reach:
    known = [reach, *(each.reach for each in files if each.reach is not None)]
    return Reach(max(each.sequence for each in known), max(each.commit_micros for each in known))
