import pytest

from fluvial.io.failpoints import Crash, CrashAt, Failpoints


def test_in_production_every_place_is_passed() -> None:
    written = []
    with Failpoints().around("log"):
        written.append("log")
    assert written == ["log"]


def test_a_crash_before_a_write_leaves_it_out_and_one_after_it_lets_it_be() -> None:
    written = []
    for place in ("before log", "after log"):
        with pytest.raises(Crash, match=place), CrashAt(place).around("log"):
            written.append(place)
    assert written == ["after log"]


def test_whatever_goes_on_beside_a_crash_dies_at_its_next_place() -> None:
    died = CrashAt("after log")
    with pytest.raises(Crash), died.around("log"):
        pass
    with pytest.raises(Crash, match="before quarantine"):
        died.reach("before quarantine")
