"""What is said when somebody else has changed a log or a history: which version, what it did, and the ways out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fluvial.errors import StorageError
from fluvial.io.commits import Commit, Walk, is_foreign, schema_columns


@dataclass(frozen=True)
class Watched:
    """A Delta table that only Fluvial may change; `columns` are the types that Fluvial writes, by lower-case name."""

    table: str
    role: Literal["log", "history"]
    path: str
    columns: Mapping[str, Any]

    def refuse_foreign(self, walk: Walk) -> None:
        """Raises StorageError for the oldest commit that changed data and isn't ours."""
        foreign = [commit for commit in walk.commits if is_foreign(commit, tuple(self.columns))]
        if foreign:
            is_last = not any(commit.is_ours and commit.version > foreign[-1].version for commit in walk.commits)
            raise self._error(f"its {self.role} was changed by something else: {foreign[-1]}", foreign[-1], is_last)

    def refuse_undone(self, restore: Commit, lost: Sequence[Commit]) -> None:
        """Raises StorageError where a RESTORE took back events that Fluvial had written and acknowledged."""
        if ours := [commit for commit in lost if commit.is_ours and commit.changes_data]:
            what = f"its {self.role} lacks events that Fluvial wrote: {restore}, which went back behind version"
            raise self._error(f"{what} {ours[0].version}", restore, is_last=True)

    def refuse_schema(self, schema_json: str) -> None:
        """Raises StorageError where a column has another type than Fluvial writes."""
        found = schema_columns(schema_json)
        way_out = "give it its old type again, there or in tables.yaml"
        if self.role == "history":
            way_out = f"{way_out}; or {self._rebuilding}"
        for name, kind in self.columns.items():
            if isinstance(kind, str) and found.get(name, kind) != kind:
                what = f"column {name} of its {self.role} is {found[name]}, tables.yaml makes it {kind}"
                raise StorageError(f"{self.table}: {what}: {self.path}", way_out)

    def ends_early(self, version: int, settled: int) -> StorageError:
        """What is raised where a log was put back from a copy that is older than the history."""
        what = f"its log ends at version {version}, and its history holds the log up to version {settled}"
        return StorageError(f"{self.table}: {what}: {self.path}", f"put a newer copy back; or {self._rebuilding}")

    def _error(self, what: str, commit: Commit, is_last: bool) -> StorageError:
        restore = f"RESTORE TABLE delta.`{self.path}` TO VERSION AS OF {commit.version - 1}"
        undo = f"undo it: {restore}; or " if is_last else ""
        return StorageError(f"{self.table}: {what}", f"{undo}{self._rebuilding}")

    @property
    def _rebuilding(self) -> str:
        if self.role == "log":
            return f"take the log as it is now: `fluvial rebuild {self.table}`"
        return (
            f"derive the history from the log again: `fluvial rebuild {self.table}`; "
            f"`fluvial verify {self.table}` lists what differs"
        )


def refuse_other_log(watched: Watched, settled_from: str, found: str | None) -> None:
    """Raises StorageError where the history was settled from another log than the one that lies there now."""
    if found == settled_from:
        return
    what = "is gone" if found is None else "isn't the one that it was settled from"
    other = f"take the history to be what the log there says: `fluvial rebuild {watched.table}`"
    if found is None:
        other = (
            "where its topic still holds every event, move the history away and delete the checkpoint: "
            "all is read again"
        )
    raise StorageError(
        f"{watched.table}: there is a history, but its log {what}: {watched.path}",
        f"put the log with the id {settled_from} back from a copy; or {other}",
    )
