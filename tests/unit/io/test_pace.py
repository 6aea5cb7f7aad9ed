import pytest

from fluvial.config.lanes import Lane
from fluvial.io.pace import Pace
from tests.unit.io.lakes import use_case_of


def lane_with(interval: str) -> Lane:
    return Lane("main", use_case_of(), interval, max_records_per_batch=500)


@pytest.mark.parametrize(
    ("interval", "seconds", "ahead", "is_behind"),
    [
        ("2 seconds", 2.0, 500, True),
        ("2 seconds", 1.9, 500, False),
        ("2 seconds", 60.0, 499, False),
        ("500 milliseconds", 0.5, 900, True),
        ("1 minute", 59.0, 900, False),
        ("1 minute", 60.0, 900, True),
    ],
)
def test_a_lane_is_behind_while_its_next_batch_is_due_and_will_be_full(
    interval: str, seconds: float, ahead: int, is_behind: bool
) -> None:
    moments = iter((100.0, 100.0 + seconds))
    pace = Pace(lane_with(interval), lambda: next(moments))
    pace.begin()
    pace.note(ahead)
    assert pace.is_behind() is is_behind


def test_a_lane_that_has_read_nothing_yet_is_not_behind() -> None:
    assert not Pace(lane_with("1 second")).is_behind()
