import os

import pytest

from tests.simulation.bugs import KNOWN, PLANTED
from tests.simulation.model import Pipeline
from tests.simulation.simulate import PATIENCE, command_of, first_violation, simulate

SEEDS = int(os.environ.get("SEEDS", "5000"))


def test_the_history_equals_the_oracle_for_every_seed() -> None:
    failure = first_violation(range(SEEDS))
    assert failure is None, f"{failure}\nrun it again: {command_of(failure[0])}"


def test_a_seed_runs_the_same_every_time() -> None:
    simulate(1)
    simulate(1)


def test_fifteen_well_known_bugs_are_among_the_planted_ones() -> None:
    assert len(KNOWN) == len(set(KNOWN.values()) & set(PLANTED)) == 15


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught(bug: type[Pipeline]) -> None:
    assert first_violation(range(PATIENCE), bug) is not None, bug.__doc__
