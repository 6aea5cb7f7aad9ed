from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fluvial.config.settle import SettlePolicy
from fluvial.history.due import Unsettled, is_due

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def waiting(**fields: Any) -> Unsettled:
    return Unsettled(**{"versions": 2, "rows": 10, "bytes": 1000, "since": NOW - timedelta(minutes=5)} | fields)


def is_due_by(unsettled: Unsettled, **policy: Any) -> bool:
    return is_due(SettlePolicy(**policy), unsettled, NOW)


@pytest.mark.parametrize(
    "policy",
    [
        {"policy": "each_batch"},
        {"policy": "rows", "rows": 1},
        {"policy": "age", "age": "1 second"},
    ],
)
def test_where_nothing_waits_nothing_is_due(policy: dict[str, Any]) -> None:
    assert not is_due_by(Unsettled(), **policy)


def test_each_batch_is_due_with_the_first_row() -> None:
    assert is_due_by(waiting(rows=1), policy="each_batch")


@pytest.mark.parametrize(("rows", "due"), [(10, True), (11, False)])
def test_rows_are_due_once_so_many_wait(rows: int, due: bool) -> None:
    assert is_due_by(waiting(), policy="rows", rows=rows) is due


@pytest.mark.parametrize(("size", "due"), [("1kB", True), ("1 KiB", False)])
def test_bytes_are_due_once_so_many_wait(size: str, due: bool) -> None:
    assert is_due_by(waiting(), policy="bytes", bytes=size) is due


@pytest.mark.parametrize(("age", "due"), [("5 minutes", True), ("301 seconds", False)])
def test_age_is_due_once_the_oldest_row_has_waited_so_long(age: str, due: bool) -> None:
    assert is_due_by(waiting(), policy="age", age=age) is due


@pytest.mark.parametrize(("max_age", "due"), [("5 minutes", True), ("6 minutes", False)])
def test_a_largest_age_settles_what_never_becomes_enough(max_age: str, due: bool) -> None:
    assert is_due_by(waiting(), policy="rows", rows=100, max_age=max_age) is due


def test_few_rows_wait_for_an_hour_at_most_unless_the_policy_says_otherwise() -> None:
    assert is_due_by(waiting(since=NOW - timedelta(hours=1)), policy="bytes", bytes="1GB")


def test_what_cant_be_counted_any_more_is_due() -> None:
    assert is_due_by(waiting(rows=0, since=None, is_known=False), policy="rows", rows=100)
