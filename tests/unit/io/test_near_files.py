"""Which files of a history may hold an open version: what is kept, and when Delta has to be asked again."""

import json
from dataclasses import dataclass

from fluvial.config.model import Table
from fluvial.history.key_range import KeyRange
from fluvial.io.delta import Snapshot
from fluvial.io.near_files import NearFiles, by_name


@dataclass(frozen=True)
class File:
    """As much of Delta's AddFile as is asked."""

    name: str
    last: str | None
    open_versions: int = 0
    keys: tuple[int, int] = (0, 99)

    def path(self) -> str:
        return f"_is_current=false/{self.name}"

    def stats(self) -> str:
        lowest, highest = {"id": self.keys[0]}, {"id": self.keys[1], "_end_sequence": self.last}
        nulls = {"_end_sequence": self.open_versions}
        return json.dumps({"minValues": lowest, "maxValues": highest, "nullCount": nulls})


@dataclass(frozen=True)
class Unmeasured(File):
    """A file that another writer left without statistics."""

    def stats(self) -> str:
        return ""


TABLE = Table.model_validate({"name": "t", "primary_key": "id", "schema": [{"name": "id", "type": "bigint"}]})
OPEN, OLD, NEW, UNKNOWN = File("open", None, 3), File("old", "0010"), File("new", "0020"), Unmeasured("unknown", None)
NEAR = NearFiles(TABLE, "table", 7, "0005", by_name([OPEN, OLD, NEW, UNKNOWN], TABLE))


def at(version: int, table_id: str = "table") -> Snapshot:
    return Snapshot(version, table_id, "{}")


def test_a_file_is_near_if_a_version_in_it_is_open_or_ends_late_enough_or_nobody_knows() -> None:
    assert NEAR.find("0011") == [OPEN, NEW, UNKNOWN]
    assert NEAR.find("0010") == [OPEN, OLD, NEW, UNKNOWN]
    assert NEAR.find("0021") == [OPEN, UNKNOWN]


def test_a_file_without_any_of_the_keys_isn_t_near() -> None:
    low, high = File("low", None, 3, (1, 10)), File("high", None, 3, (11, 20))
    near = NearFiles(TABLE, "table", 7, "0005", by_name([low, high, UNKNOWN], TABLE))
    assert near.find("0011", KeyRange({"id": (10, 10)})) == [low, UNKNOWN]
    assert near.find("0011", KeyRange({"id": (12, 99)})) == [high, UNKNOWN]
    assert near.find("0011", KeyRange({"id": (10, 11)})) == [low, high, UNKNOWN]
    assert near.find("0011") == [low, high, UNKNOWN]


def test_delta_is_asked_again_for_earlier_sequences_other_versions_and_other_tables() -> None:
    assert NEAR.are_known(at(7), "0005")
    assert not NEAR.are_known(at(7), "0004")
    assert not NEAR.are_known(at(8), "0011")
    assert not NEAR.are_known(at(7, "another"), "0011")


def test_after_a_commit_the_files_are_those_that_it_left() -> None:
    added = File("added", "0030")
    after = NEAR.after(8, ["open", "old"], [added])
    assert after.find("0005") == [NEW, UNKNOWN, added]
    assert after.are_known(at(8), "0005")
    assert not after.are_known(at(7), "0005")
