"""Which files of a log may hold rows that matter to a range: what is kept, and when Delta has to be asked again."""

import json
from dataclasses import dataclass

from fluvial.history.range_bounds import RangeBounds
from fluvial.io.log_bounds import Reach
from fluvial.io.log_tail import LogTail, log_file

SECOND = 1_000_000


@dataclass(frozen=True)
class File:
    """As much of Delta's AddFile as is asked; `second` is the latest commit time, in seconds of 1970's first minute."""

    sequence: str
    second: int

    def stats(self) -> str:
        time = f"1970-01-01T00:00:{self.second:02}.000Z"
        return json.dumps({"maxValues": {"_sequence": self.sequence, "_commit_time": time}})


@dataclass(frozen=True)
class Unmeasured(File):
    """A file that tells nothing of its rows."""

    def stats(self) -> str:
        return ""


OLD, NEW, UNKNOWN = File("0010", 10), File("0020", 20), Unmeasured("", 0)
TAIL = LogTail("table", 7, Reach("0005", 5 * SECOND), (log_file(OLD), log_file(NEW), log_file(UNKNOWN)))


def range_from(sequence: str, second: int) -> RangeBounds:
    return RangeBounds(sequence, second * SECOND, None, None, log_has_partial=False)


def test_a_file_is_near_by_its_sequences_or_by_its_clock_or_if_nobody_knows() -> None:
    assert TAIL.find(range_from("0021", 30)) == [UNKNOWN]
    assert TAIL.find(range_from("0020", 30)) == [NEW, UNKNOWN]
    assert TAIL.find(range_from("0021", 15)) == [NEW, UNKNOWN]
    assert TAIL.find(range_from("0006", 5)) == [OLD, NEW, UNKNOWN]


def test_times_in_statistics_are_cut_off_at_the_millisecond() -> None:
    just_after = RangeBounds("0021", 20 * SECOND + 999, None, None, log_has_partial=False)
    assert TAIL.find(just_after) == [NEW, UNKNOWN]
    assert log_file(NEW).reach == Reach("0020", 20 * SECOND + 1000)


def test_delta_is_asked_for_what_reaches_back_to_the_other_files() -> None:
    assert TAIL.find(range_from("0005", 30)) is None
    assert TAIL.find(range_from("0030", 4)) is None


def test_a_time_that_python_can_t_hold_is_an_unknown_one() -> None:
    far = json.dumps({"maxValues": {"_sequence": "0001", "_commit_time": "+12345-01-01T00:00:00.000Z"}})
    odd = type("Odd", (), {"stats": lambda _: far})()
    assert log_file(odd).reach is None


def test_a_version_more_brings_its_files() -> None:
    added = File("0030", 30)
    after = TAIL.after(8, [added])
    assert after.version == 8
    assert after.find(range_from("0030", 30)) == [UNKNOWN, added]


def test_of_many_files_the_older_half_becomes_others_but_for_those_that_nobody_knows() -> None:
    tail = TAIL
    for number in range(1000):
        tail = tail.after(8 + number, [File(f"{100 + number:04}", 30)])
    assert len(tail.files) < 700
    assert tail.others.sequence > "0500"
    assert tail.find(range_from("0300", 59)) is None
    assert tail.find(range_from("1099", 59)) == [UNKNOWN, File("1099", 30)]
