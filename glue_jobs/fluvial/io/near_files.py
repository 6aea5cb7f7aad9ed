"""Files of a history that may hold a version open at a sequence or later, kept from settle to settle.

To ask Delta for them after each commit is a Spark job over the table's whole state, most of a small settle. While only
this process commits, what it removed and added tells the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fluvial import columns as c
from fluvial.config.model import Table
from fluvial.history.key_range import ANY_KEY, KeyRange, key_range, read_statistics
from fluvial.io.delta import Snapshot


@dataclass(frozen=True)
class NearFile:
    """One of Delta's AddFiles, its keys, and the highest `_end_sequence` in it; None where some version is open."""

    file: Any
    last: str | None
    keys: KeyRange

    def reaches(self, sequence: str) -> bool:
        """Whether a version in it may be open at the sequence or later."""
        return self.last is None or self.last >= sequence


@dataclass(frozen=True)
class NearFiles:
    """Every such file of one version of the history for `since`, and maybe others, by name."""

    table: Table
    table_id: str
    version: int
    since: str
    files: Mapping[str, NearFile]

    def are_known(self, history: Snapshot, sequence: str) -> bool:
        """Whether none is missing for a sequence."""
        return (history.table_id, history.version) == (self.table_id, self.version) and sequence >= self.since

    def find(self, sequence: str, keys: KeyRange = ANY_KEY) -> list[Any]:
        """The files for a sequence that may hold one of the keys."""
        return [near.file for near in self.files.values() if near.reaches(sequence) and near.keys.meets(keys)]

    def after(self, version: int, removed: Collection[str], added: Sequence[Any]) -> "NearFiles":
        """The files once the next version is committed."""
        kept = {name: near for name, near in self.files.items() if name not in removed}
        return replace(self, version=version, files=kept | by_name(added, self.table))


def by_name(files: Sequence[Any], table: Table) -> dict[str, NearFile]:
    """AddFiles with what their statistics say."""
    return {file_name(file): _near_file(file, table) for file in files}


def file_name(file: Any) -> str:
    """As the rows of a frame tell it."""
    return str(file.path()).rpartition("/")[2]


def _near_file(file: Any, table: Table) -> NearFile:
    statistics = read_statistics(file.stats())
    return NearFile(file, _last(statistics), key_range(statistics, table))


def _last(statistics: Mapping[str, Any]) -> str | None:
    """A long text's highest value is cut and rounded up in statistics: still none of the file's lies above it."""
    if statistics.get("nullCount", {}).get(c.END_SEQUENCE, 1) > 0:
        return None
    last: str | None = statistics.get("maxValues", {}).get(c.END_SEQUENCE)
    return last
