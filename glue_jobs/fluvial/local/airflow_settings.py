"""The environment of `airflow standalone`: one machine, SQLite, loopback only."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fluvial.local.airflow_access import AirflowAccess, passwords_file
from fluvial.local.home import Home

_FIXED: Final[Mapping[str, str]] = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__EXECUTOR": "LocalExecutor",
    # One worker process each: the default of 32 costs gigabytes.
    "CORE__PARALLELISM": "4",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "5",
    # An edited tables.yaml shows after seconds, not after half a minute.
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "20",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "API__HOST": "127.0.0.1",
    "USAGE_DATA_COLLECTION__ENABLED": "False",
}


# The log servers would listen on every interface, and on ports that two homes would fight for; on one machine the
# web server reads the logs from disk.
_COMMAND: Final = """#!/bin/sh
case "$1" in scheduler | triggerer) set -- "$@" --skip-serve-logs ;; esac
exec {python} -m airflow "$@"
"""


def airflow_environment(
    home: Home, access: AirflowAccess, checkout: Path, config_dir: Path | None = None
) -> dict[str, str]:
    """This process's environment with Airflow's settings for the home; `checkout` holds dags, plugins and config."""
    configured = os.environ.get("FLUVIAL_CONFIG_DIR")
    settings = {
        **_FIXED,
        "CORE__DAGS_FOLDER": str(checkout / "dags"),
        "CORE__PLUGINS_FOLDER": str(checkout / "plugins"),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(home)),
        # The port alone isn't enough: tasks report to the execution API at its full address.
        "CORE__EXECUTION_API_SERVER_URL": f"{access.url}/execution/",
        "API__PORT": str(access.port),
        "API__BASE_URL": access.url,
        "API__SECRET_KEY": access.secret_key,
        "API_AUTH__JWT_SECRET": access.jwt_secret,
        "LOGGING__BASE_LOG_FOLDER": str(home.logs / "airflow"),
    }
    return {
        **_inherited(),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(home.airflow),
        "FLUVIAL_HOME": str(home.root),
        "FLUVIAL_ARTIFACTS": str(home.artifacts),
        "FLUVIAL_CONFIG_DIR": str((config_dir or Path(configured or checkout / "config")).absolute()),
        "PATH": os.pathsep.join((str(_command_folder(home)), os.environ.get("PATH", os.defpath))),
        **_platform_quirks(),
    }


def write_command(home: Home) -> None:
    """Makes the `airflow` that `airflow standalone` starts its parts with."""
    command = _command_folder(home) / "airflow"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(_COMMAND.format(python=shlex.quote(sys.executable)))
    command.chmod(0o700)


def _command_folder(home: Home) -> Path:
    return home.airflow / "bin"


def _inherited() -> dict[str, str]:
    # Settings of another Airflow on this machine must not reach this one.
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}


def _platform_quirks() -> dict[str, str]:
    # macOS kills forked processes that look up proxies or touch Objective-C.
    return {"no_proxy": "*", "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if sys.platform == "darwin" else {}
