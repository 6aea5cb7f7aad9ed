import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.benchmarks.cost import Cost, tree_cpu_seconds
from tests.benchmarks.measure import Run, Series, extra_cpu_seconds, ratio, run_in_turn
from tests.benchmarks.targets import AT_LEAST, AT_MOST, Finding


def series(cpu_seconds: Sequence[float], events: int = 100) -> Series:
    return Series("rival", events, 1, [Cost(cpu, 0.0, 1, 0) for cpu in cpu_seconds])


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert ratio(series([1, 2, 4]), series([1, 1, 1])) == 0.5


def test_a_ratio_counts_events_and_not_rounds() -> None:
    assert ratio(series([8], events=800), series([1], events=100)) == 1.0


def test_what_one_costs_beyond_another_is_the_median_of_the_rounds_differences() -> None:
    assert extra_cpu_seconds(series([5, 9, 7]), series([4, 6, 6])) == 1


def test_bytes_are_those_of_all_rounds_and_cpu_of_those_behind_the_warm_up() -> None:
    measured = Series("rival", 100, 1)
    for number, written in enumerate((1000, 3000, 2600)):
        measured.add(Cost(9.0 - number, 0.0, 1, written), is_warm_up=number < 2)
    assert (measured.bytes_per_event, measured.cpu_seconds) == (22, 7.0)


def test_a_target_is_met_at_its_limit_and_missed_beyond_it() -> None:
    met = (Finding("T1", "", 0.60, AT_LEAST, 0.60).is_met, Finding("T3", "", 1.15, AT_MOST, 1.15).is_met)
    missed = (Finding("T1", "", 0.599, AT_LEAST, 0.60).is_met, Finding("T3", "", 1.151, AT_MOST, 1.15).is_met)
    assert (met, missed) == ((True, True), (False, False))


def test_a_missed_target_is_told_in_capitals() -> None:
    found = Finding("T1", "dms: fast path / floor", 0.4, AT_LEAST, 0.60)
    assert found.row() == ("T1", "dms: fast path / floor", "0.4", "≥ 0.6", "MISSED")


class Remembered:
    """A rival that costs nothing, and writes down when it ran."""

    def __init__(self, name: str, told: list[tuple[int, str]]) -> None:
        self.name, self.told = name, told

    def series(self, name: str) -> Series:
        return Series(name, 100, 1)

    def run(self, number: int) -> Cost:
        self.told.append((number, self.name))
        return Cost(1.0, 0.0, 1, 0)


def test_in_each_round_every_rival_runs_once_and_behind_others_than_before() -> None:
    told: list[tuple[int, str]] = []
    run_in_turn(Run(6, 0, lambda _: None), {name: Remembered(name, told) for name in "ABCD"})
    rounds = [[name for number, name in told if number == each] for each in range(6)]
    assert [sorted(names) for names in rounds] == [list("ABCD")] * 6
    before = {name: {names[names.index(name) - 1] for names in rounds if names[0] != name} for name in "ABCD"}
    assert all(len(neighbours) > 1 for neighbours in before.values())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a command took that has ended")
def test_what_a_command_took_that_has_ended_is_counted() -> None:
    before = tree_cpu_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.6: pass"], check=True)
    assert tree_cpu_seconds() - before >= 0.3
