import json
import socket
import stat
from pathlib import Path

import pytest

from fluvial.errors import StackError
from fluvial.local.airflow_access import ensure_access, passwords_file, read_access
from fluvial.local.airflow_settings import airflow_environment, write_command
from fluvial.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_before_the_first_start_the_message_says_how_to_start(home: Home) -> None:
    with pytest.raises(StackError, match="never started") as raised:
        read_access(home)
    assert raised.value.hint == "start it with `fluvial up --airflow`"


def test_login_and_keys_are_made_once(home: Home) -> None:
    assert ensure_access(home) == ensure_access(home) == read_access(home)


def test_another_program_on_the_port_moves_airflow_and_nothing_else(home: Home) -> None:
    before = ensure_access(home)
    with socket.socket() as other:
        other.bind(("127.0.0.1", before.port))
        other.listen()
        after = ensure_access(home)
    assert after.port != before.port
    assert (after.password, after.jwt_secret) == (before.password, before.jwt_secret)


def test_only_the_owner_may_read_login_and_keys(home: Home) -> None:
    ensure_access(home)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.airflow.iterdir()}
    assert modes == {"access.json": 0o600, "passwords.json": 0o600}


def test_the_password_file_is_the_one_airflow_reads(home: Home) -> None:
    access = ensure_access(home)
    assert json.loads(passwords_file(home).read_text()) == {"admin": access.password}


def test_the_signing_key_has_64_bytes_and_more(home: Home) -> None:
    assert len(ensure_access(home).jwt_secret) >= 64


def test_port_base_url_and_execution_url_agree(home: Home, tmp_path: Path) -> None:
    access = ensure_access(home)
    settings = airflow_environment(home, access, tmp_path)
    assert {name: settings[f"AIRFLOW__{name}"] for name in ("API__HOST", "API__PORT", "API__BASE_URL")} == {
        "API__HOST": "127.0.0.1",
        "API__PORT": str(access.port),
        "API__BASE_URL": f"http://127.0.0.1:{access.port}",
    }
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{access.port}/execution/"


def test_dags_and_plugins_come_from_the_checkout(home: Home, tmp_path: Path) -> None:
    settings = airflow_environment(home, ensure_access(home), tmp_path / "checkout")
    assert settings["AIRFLOW__CORE__DAGS_FOLDER"] == str(tmp_path / "checkout" / "dags")
    assert settings["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(tmp_path / "checkout" / "plugins")


def test_use_cases_come_from_the_folder_asked_for(home: Home, tmp_path: Path) -> None:
    settings = airflow_environment(home, ensure_access(home), tmp_path, tmp_path / "mine")
    assert settings["FLUVIAL_CONFIG_DIR"] == str(tmp_path / "mine")


def test_tasks_work_in_the_same_home_with_the_same_artifacts(home: Home, tmp_path: Path) -> None:
    settings = airflow_environment(home, ensure_access(home), tmp_path)
    assert (settings["FLUVIAL_HOME"], settings["FLUVIAL_ARTIFACTS"]) == (str(home.root), str(home.artifacts))


def test_settings_of_another_airflow_are_left_out(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "theirs")
    settings = airflow_environment(home, ensure_access(home), tmp_path)
    assert settings["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__CORE__FERNET_KEY" not in settings


def test_the_airflow_on_the_path_starts_no_log_server(home: Home, tmp_path: Path) -> None:
    write_command(home)
    folder = airflow_environment(home, ensure_access(home), tmp_path)["PATH"].split(":")[0]
    assert "--skip-serve-logs" in (Path(folder) / "airflow").read_text()
