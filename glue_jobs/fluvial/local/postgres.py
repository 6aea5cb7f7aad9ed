"""The source database: PostgreSQL with a logical write-ahead log."""

import shutil
import signal
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from fluvial.local.account import Account, server_account
from fluvial.local.artifacts import postgres_program
from fluvial.local.endpoints import Endpoints
from fluvial.local.home import Home
from fluvial.local.part import NotReadyError, Part, run_to_end
from fluvial.local.state_files import write_state

CHECK_SECONDS: Final = 2.0
PROTOCOL: Final = 3 << 16
START_STEP_SECONDS: Final = 60.0
ORPHAN_SECONDS: Final = 5.0
STARTED_LINE: Final = 2
"""Of postmaster.pid, counted from 0: when the server started, in seconds since 1970."""

SETTINGS: Final[dict[str, object]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": 8,
    "max_replication_slots": 8,
    # A stopped connector must not fill the disk.
    "max_slot_wal_keep_size": "1GB",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def check_postgres(endpoints: Endpoints) -> str:
    """Open a session up to the point where the server asks for a password.

    An open port isn't enough: during recovery the server answers "the database system is starting up".
    """
    body = struct.pack("!i", PROTOCOL) + b"user\0postgres\0database\0postgres\0\0"
    try:
        with socket.create_connection(("127.0.0.1", endpoints.postgres_port), CHECK_SECONDS) as connection:
            connection.sendall(struct.pack("!i", len(body) + 4) + body)
            answer = connection.recv(1024)
    except OSError as error:
        raise NotReadyError(str(error)) from error
    if not answer.startswith(b"R"):
        raise NotReadyError(_reason(answer))
    return "wal_level logical"


def _reason(answer: bytes) -> str:
    """The message field of an ErrorResponse."""
    fields = answer[5:].split(b"\0")
    return next((field[1:].decode(errors="replace") for field in fields if field.startswith(b"M")), "no answer")


def _prepare(home: Home, endpoints: Endpoints) -> Sequence[str]:
    data = home.data / "postgres"
    account = server_account(data)
    if not (data / "PG_VERSION").exists():
        _initialize(home, endpoints, account)
    _remove_stale_lock(data)
    settings = SETTINGS | {"port": endpoints.postgres_port}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return account.command(postgres_program(home, "postgres"), "-D", data, *options)


def _initialize(home: Home, endpoints: Endpoints, account: Account) -> None:
    """Make the data directory under another name, so that half a one is never taken for whole."""
    fresh, target = home.data / "postgres.new", home.data / "postgres"
    for leftover in (fresh, target):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    secret = home.data / "initdb.password"
    try:
        write_state(secret, endpoints.postgres_password + "\n")
        account.own(fresh, secret)
        _run_initdb(home, account, fresh, secret)
    finally:
        secret.unlink(missing_ok=True)
    fresh.rename(target)


def _run_initdb(home: Home, account: Account, data: Path, secret: Path) -> None:
    command = account.command(
        postgres_program(home, "initdb"),
        *("-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"),
        *(f"--pwfile={secret}", "--no-sync"),
    )
    hint = (
        "PostgreSQL doesn't run as root, so it runs as `nobody` here, who must be able to enter FLUVIAL_HOME: move it"
    )
    run_to_end(home, "postgres", command, hint if account.owner else "")


def _remove_stale_lock(data: Path) -> None:
    """PostgreSQL takes any process with the number of a dead server for that server, even a zombie."""
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    if len(lines) > STARTED_LINE and _is_server(int(lines[0]), float(lines[STARTED_LINE])):
        return
    _end_orphans(data)
    lock.unlink()


def _end_orphans(data: Path) -> None:
    """Sessions of a killed server notice it soon; until then they hold its shared memory."""
    orphans = [process for process in psutil.process_iter() if _works_in(process, data)]
    _, alive = psutil.wait_procs(orphans, timeout=ORPHAN_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def _is_server(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - started) < START_STEP_SECONDS and "postgres" in process.name()
    except psutil.NoSuchProcess:
        return False


POSTGRES: Final = Part("postgres", _prepare, check_postgres, stop_signal=signal.SIGINT)
