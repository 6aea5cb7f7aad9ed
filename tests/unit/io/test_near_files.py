"""Which files of a history may hold an open version: what is kept, and when Delta has to be asked again."""

import json
from dataclasses import dataclass

from fluvial.io.delta import Snapshot
from fluvial.io.near_files import NearFiles, by_name


@dataclass(frozen=True)
class File:
    """As much of Delta's AddFile as is asked."""

    name: str
    last: str | None
    open_versions: int = 0

    def path(self) -> str:
        return f"_is_current=false/{self.name}"

    def stats(self) -> str:
        highest, nulls = {"_end_sequence": self.last}, {"_end_sequence": self.open_versions}
        return json.dumps({"maxValues": highest, "nullCount": nulls})


@dataclass(frozen=True)
class Unmeasured(File):
    """A file that another writer left without statistics."""

    def stats(self) -> str:
        return ""


OPEN, OLD, NEW, UNKNOWN = File("open", None, 3), File("old", "0010"), File("new", "0020"), Unmeasured("unknown", None)
NEAR = NearFiles("table", 7, "0005", by_name([OPEN, OLD, NEW, UNKNOWN]))


def at(version: int, table_id: str = "table") -> Snapshot:
    return Snapshot(version, table_id, "{}")


def test_a_file_is_near_if_a_version_in_it_is_open_or_ends_late_enough_or_nobody_knows() -> None:
    assert NEAR.find(at(7), "0011") == [OPEN, NEW, UNKNOWN]
    assert NEAR.find(at(7), "0010") == [OPEN, OLD, NEW, UNKNOWN]
    assert NEAR.find(at(7), "0021") == [OPEN, UNKNOWN]


def test_delta_is_asked_again_for_earlier_sequences_other_versions_and_other_tables() -> None:
    assert NEAR.find(at(7), "0004") is None
    assert NEAR.find(at(8), "0011") is None
    assert NEAR.find(at(7, "another"), "0011") is None


def test_after_a_commit_the_files_are_those_that_it_left() -> None:
    added = File("added", "0030")
    after = NEAR.after(8, ["open", "old"], [added])
    assert after.find(at(8), "0005") == [NEW, UNKNOWN, added]
    assert after.find(at(7), "0005") is None


def test_too_many_files_are_looked_for_again() -> None:
    many = NearFiles("table", 7, "0005", by_name([File(str(number), "0010") for number in range(1_001)]))
    assert many.find(at(7), "0005") is None
