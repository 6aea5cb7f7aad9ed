import os
import threading
from pathlib import Path

import pytest

from fluvial.errors import StackBusyError
from fluvial.local.locks import exclusive


def test_the_second_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "stack.lock"
    with (
        exclusive(lock, "fluvial up", 0),
        pytest.raises(StackBusyError, match=rf"process {os.getpid()} \(fluvial up, since ..:..:..\)"),
        exclusive(lock, "fluvial down", 0.2),
    ):
        pass


def test_a_lock_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path / "stack.lock", "fluvial up", 0):
            pass


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    waited = threading.Event()
    order: list[str] = []

    def second() -> None:
        with exclusive(tmp_path / "stack.lock", "second", 10, waited.set):
            order.append("second")

    with exclusive(tmp_path / "stack.lock", "first", 0):
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
