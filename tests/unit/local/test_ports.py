import socket
from collections.abc import Iterator

import pytest

from fluvial.errors import PortTakenError
from fluvial.local.ports import any_free_port, choose_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    return any_free_port()


def test_a_port_that_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_a_listener_on_every_interface_takes_the_loopback_port_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that is the point
        assert not is_free(server.getsockname()[1])


def test_a_remembered_port_is_kept_while_it_is_free(free: int) -> None:
    assert choose_port("orders", free) == free


def test_a_remembered_port_that_is_taken_is_replaced(taken: int) -> None:
    assert is_free(choose_port("orders", taken))


def test_a_port_asked_for_wins_over_the_remembered_one(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setenv("FLUVIAL_ORDERS_PORT", str(free))
    assert choose_port("orders", any_free_port()) == free


def test_a_port_asked_for_that_is_taken_is_an_error(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setenv("FLUVIAL_ORDERS_PORT", str(taken))
    with pytest.raises(PortTakenError, match=rf"port {taken} \(FLUVIAL_ORDERS_PORT\) is taken") as caught:
        choose_port("orders")
    assert "unset it" in caught.value.hint


@pytest.mark.parametrize("asked", ["kafka", "0", "70000", "-1", "1.5"])
def test_what_is_no_port_number_is_refused(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("FLUVIAL_ORDERS_PORT", asked)
    with pytest.raises(PortTakenError, match="is no port"):
        choose_port("orders")
