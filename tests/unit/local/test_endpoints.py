import stat
from pathlib import Path

import pytest

from fluvial.errors import StackError
from fluvial.local.endpoints import Endpoints, read_endpoints, write_endpoints
from fluvial.local.home import Home

ENDPOINTS = Endpoints(5001, 5002, 5003, "secret", 5004)


def test_endpoints_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_endpoints(Home(tmp_path), ENDPOINTS)
    assert read_endpoints(Home(tmp_path)) == ENDPOINTS


def test_only_the_owner_may_read_the_password(tmp_path: Path) -> None:
    write_endpoints(Home(tmp_path), ENDPOINTS)
    assert stat.S_IMODE((tmp_path / "run" / "endpoints.json").stat().st_mode) == 0o600


def test_a_home_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="fluvial up"):
        read_endpoints(Home(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", '{"postgres_port": 1}', '{"colour": "red"}'])
def test_an_unreadable_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "endpoints.json").write_text(text)
    with pytest.raises(StackError, match=r"endpoints\.json is unreadable"):
        read_endpoints(Home(tmp_path))


def test_every_address_is_on_the_loopback_interface() -> None:
    assert ENDPOINTS.bootstrap_servers == "127.0.0.1:5002"
    assert ENDPOINTS.connect_url == "http://127.0.0.1:5003"
    assert ENDPOINTS.postgres_dsn("orders") == "postgresql://postgres:secret@127.0.0.1:5001/orders"
