import pytest
from hypothesis.errors import HypothesisException

from tests.campaign import sized
from tests.simulation.bugs.intake import HighWaterMark
from tests.simulation.bugs.settling import DerivesFromNewRowsAlone, TwoStatementsUnderOneId
from tests.simulation.machine import run_machine
from tests.simulation.model import Pipeline
from tests.simulation.simulate import Violation


@pytest.mark.campaign
@pytest.mark.parametrize("seed", sized(1, 10))
def test_no_sequence_of_operations_parts_the_history_from_the_oracle(seed: int) -> None:
    run_machine(seed)


@pytest.mark.parametrize("bug", [HighWaterMark, DerivesFromNewRowsAlone, TwoStatementsUnderOneId])
def test_the_machine_finds_a_planted_bug(bug: type[Pipeline]) -> None:
    with pytest.raises((Violation, AssertionError, HypothesisException)):
        run_machine(0, bug, shrinks=False)
