"""Airflow on the laptop: one `airflow standalone` on SQLite per home, started, watched and stopped as a whole."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fluvial.errors import StackError
from fluvial.local.airflow_access import AirflowAccess, ensure_access, read_access
from fluvial.local.airflow_client import AirflowClient
from fluvial.local.airflow_settings import airflow_environment, write_command
from fluvial.local.home import Home, checkout_root
from fluvial.local.process import is_alive, log_path, read_log_tail, start_process, stop_process

NAME: Final = "airflow"
START_SECONDS: Final = 240.0
_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class AirflowStatus:
    """Whether Airflow's process lives, whether all its parts beat, and where it answers ("" before the first start)."""

    is_alive: bool
    is_healthy: bool
    url: str = ""


def launch_airflow(home: Home, config_dir: Path | None = None) -> AirflowAccess:
    """Starts Airflow and returns at once; one that runs is left alone.

    DAGs are made of the use cases in `config_dir`: FLUVIAL_CONFIG_DIR, else the checkout's `config`, by default.
    """
    if is_alive(home, NAME):
        return read_access(home)
    settings = airflow_environment(home, ensure_access(home), _checkout(), config_dir)
    # The group may hold survivors of a killed parent, which would keep the port and the database.
    stop_process(home, NAME)
    write_command(home)
    start_process(home, NAME, [sys.executable, "-m", "airflow", "standalone"], settings)
    return read_access(home)


def start_airflow(home: Home, timeout: float = START_SECONDS) -> AirflowAccess:
    """Starts Airflow and waits until it is healthy; raises StackError with the end of its log."""
    access = launch_airflow(home)
    client, deadline = AirflowClient(access), time.monotonic() + timeout
    while not client.is_healthy():
        require_airflow(home)
        if time.monotonic() > deadline:
            raise _failed(home, f"Airflow isn't healthy after {timeout:.0f} s")
        time.sleep(_PAUSE_SECONDS)
    return access


def airflow_status(home: Home) -> AirflowStatus:
    """How Airflow stands now."""
    try:
        access = read_access(home)
    except StackError:
        return AirflowStatus(is_alive=False, is_healthy=False)
    alive = is_alive(home, NAME)
    return AirflowStatus(alive, alive and AirflowClient(access).is_healthy(), access.url)


def require_airflow(home: Home) -> None:
    """Raises StackError with the end of the log where Airflow doesn't run."""
    if not is_alive(home, NAME):
        raise _failed(home, "Airflow has ended")


def _failed(home: Home, message: str) -> StackError:
    return StackError(
        message,
        "the log says why; `fluvial up --airflow` starts it again",
        part=NAME,
        log_path=log_path(home, NAME),
        log_tail=read_log_tail(home, NAME),
    )


def _checkout() -> Path:
    root = checkout_root()
    if root is None:
        raise StackError("no checkout around the working directory", "run inside the checkout: DAGs are read from it")
    return root
