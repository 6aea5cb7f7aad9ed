from datetime import timedelta

import pytest

from fluvial.config.settle import SettlePolicy
from tests.unit.io.lakes import SETTINGS, VEHICLES, use_case_of


@pytest.mark.parametrize(
    ("written", "size"),
    [("1B", 1), ("64MB", 64_000_000), ("64 MiB", 67_108_864), ("2kB", 2000), ("1 GiB", 1_073_741_824)],
)
def test_a_size_is_a_number_with_its_unit(written: str, size: int) -> None:
    assert SettlePolicy(policy="bytes", bytes=written).most_bytes == size


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("1 second", timedelta(seconds=1)),
        ("10 minutes", timedelta(minutes=10)),
        ("2 hours", timedelta(hours=2)),
        ("1 day", timedelta(days=1)),
    ],
)
def test_an_age_is_a_number_with_its_unit(written: str, duration: timedelta) -> None:
    assert SettlePolicy(policy="age", age=written).longest_wait == duration


def test_each_batch_lets_nothing_wait() -> None:
    assert SettlePolicy().longest_wait is None


def test_while_behind_each_batch_lets_a_default_batch_wait_for_a_minute_and_others_stay_as_they_are() -> None:
    behind = SettlePolicy().while_behind
    assert (behind.most_rows, behind.most_bytes, behind.longest_wait) == (200_000, None, timedelta(minutes=1))
    by_age = SettlePolicy(policy="age", age="1 hour")
    assert by_age.while_behind is by_age


def test_a_table_has_the_policy_of_the_settings_unless_it_has_its_own() -> None:
    own = SettlePolicy(policy="rows", rows=5)
    use_case = use_case_of(VEHICLES, {**VEHICLES, "name": "hot", "topic": "hot", "settle": own})
    assert "settle" not in SETTINGS
    assert [use_case.settle_policy(table) for table in use_case.tables] == [SettlePolicy(), own]
