"""Where this home's Airflow answers and how to log in: made once, kept where only its owner may read it."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from fluvial.errors import StackError
from fluvial.local.home import Home

USER: Final = "admin"
_SECRET_BYTES: Final = 64
"""Airflow signs with SHA-512; shorter keys draw a warning."""


@dataclass(frozen=True)
class AirflowAccess:
    """Port, login and signing keys of one Airflow."""

    port: int
    password: str
    jwt_secret: str
    secret_key: str

    @property
    def url(self) -> str:
        """Address of the web interface and the REST API."""
        return f"http://127.0.0.1:{self.port}"


def read_access(home: Home) -> AirflowAccess:
    """The access that `ensure_access` made; raises StackError where Airflow was never started."""
    try:
        return AirflowAccess(**json.loads(_access_file(home).read_text()))
    except FileNotFoundError as error:
        raise StackError(
            f"Airflow was never started in {home.root}", "start it with `fluvial up --airflow`", part="airflow"
        ) from error


def ensure_access(home: Home) -> AirflowAccess:
    """The kept access; the port changes only where another program has taken it meanwhile."""
    if _access_file(home).exists():
        kept = read_access(home)
        access = kept if _is_free(kept.port) else AirflowAccess(**{**asdict(kept), "port": _free_port()})
    else:
        access = _new_access()
    _write_private(_access_file(home), json.dumps(asdict(access)))
    _write_private(passwords_file(home), json.dumps({USER: access.password}) + "\n")
    return access


def passwords_file(home: Home) -> Path:
    """The file that Airflow's simple auth manager compares passwords with."""
    return home.airflow / "passwords.json"


def _access_file(home: Home) -> Path:
    return home.airflow / "access.json"


def _new_access() -> AirflowAccess:
    return AirflowAccess(
        port=_free_port(),
        password=secrets.token_urlsafe(12),
        jwt_secret=secrets.token_urlsafe(_SECRET_BYTES),
        secret_key=secrets.token_urlsafe(_SECRET_BYTES),
    )


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # What the web server does too; without it a port that was left seconds ago looks taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
