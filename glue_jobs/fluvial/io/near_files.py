"""Files of a history that may hold a version open at a sequence or later, kept from settle to settle.

To ask Delta for them after each commit is a Spark job over the table's whole state, most of a small settle. While only
this process commits, what it removed and added tells the same.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fluvial import columns as c
from fluvial.io.delta import Snapshot

_MOST: Final = 1_000
"""Files to keep: closed ones gather until the table is compacted."""


@dataclass(frozen=True)
class NearFile:
    """One of Delta's AddFiles, and the highest `_end_sequence` in it; None where some version of it is open."""

    file: Any
    last: str | None

    def reaches(self, sequence: str) -> bool:
        """Whether a version in it may be open at the sequence or later."""
        return self.last is None or self.last >= sequence


@dataclass(frozen=True)
class NearFiles:
    """Every such file of one version of the history for `since`, and maybe others, by name."""

    table_id: str
    version: int
    since: str
    files: Mapping[str, NearFile]

    def find(self, history: Snapshot, sequence: str) -> list[Any] | None:
        """The files for a sequence; None where they aren't known."""
        is_same = (history.table_id, history.version) == (self.table_id, self.version)
        if not is_same or sequence < self.since or len(self.files) > _MOST:
            return None
        return [near.file for near in self.files.values() if near.reaches(sequence)]

    def after(self, version: int, removed: Collection[str], added: Sequence[Any]) -> "NearFiles":
        """The files once the next version is committed."""
        kept = {name: near for name, near in self.files.items() if name not in removed}
        return replace(self, version=version, files=kept | by_name(added))


def by_name(files: Sequence[Any]) -> dict[str, NearFile]:
    """AddFiles with what their statistics say."""
    return {file_name(file): NearFile(file, _last(file.stats())) for file in files}


def file_name(file: Any) -> str:
    """As the rows of a frame tell it."""
    return str(file.path()).rpartition("/")[2]


def _last(statistics: str | None) -> str | None:
    """A long text's highest value is cut and rounded up in statistics: still none of the file's lies above it."""
    read: dict[str, Any] = json.loads(statistics) if statistics else {}
    if read.get("nullCount", {}).get(c.END_SEQUENCE, 1) > 0:
        return None
    last: str | None = read.get("maxValues", {}).get(c.END_SEQUENCE)
    return last
