"""Free TCP ports on the loopback interface."""

import os
import random
import socket
import time
from collections.abc import Mapping
from typing import Final

import psutil

from fluvial.errors import PortTakenError

LOOPBACK: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65535
LINGER_SECONDS: Final = 1.0

UNPRIVILEGED_PORTS: Final = range(20000, 32000)
"""Below those of outgoing connections (32768 on Linux, 49152 on macOS): a client that keeps calling a stopped server
on such a port will sooner or later be given that port itself, and talk to itself."""

USUAL_PORTS: Final[Mapping[str, int]] = {"postgres": 15432, "kafka": 19092, "controller": 19093, "connect": 18083}
"""Tried first, so that most homes answer where one expects."""


def choose_port(name: str, remembered: int | None = None) -> int:
    """A free port: the one FLUVIAL_<NAME>_PORT asks for, the remembered one, the usual one, else any."""
    if asked := os.environ.get(f"FLUVIAL_{name.upper()}_PORT"):
        return _insist(name, asked)
    if remembered and _becomes_free(remembered):
        return remembered
    usual = USUAL_PORTS.get(name)
    return usual if usual and is_free(usual) else any_free_port()


def is_free(port: int) -> bool:
    """Whether nobody listens on a port, on whichever interface that would answer for the loopback one."""
    with socket.socket() as client:
        client.settimeout(0.5)
        # macOS lets one bind beside somebody who listens on every interface.
        if client.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing don't count
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """A port nobody uses at this moment, and which the system gives to no outgoing connection."""
    candidates = random.sample(UNPRIVILEGED_PORTS, len(UNPRIVILEGED_PORTS))
    found = next((port for port in candidates if is_free(port)), None)
    if found is None:
        raise PortTakenError("no port from 20000 to 31999 is free", "stop something that listens there")
    return found


def _becomes_free(port: int) -> bool:
    """The sockets of a process that was killed a moment ago may outlive it by some milliseconds."""
    deadline = time.monotonic() + LINGER_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _insist(name: str, asked: str) -> int:
    variable = f"FLUVIAL_{name.upper()}_PORT"
    if not asked.isdecimal() or not 0 < int(asked) <= HIGHEST_PORT:
        raise PortTakenError(f"{variable}={asked} is no port", "give a number from 1 to 65535, or unset it", part=name)
    if not _becomes_free(int(asked)):
        raise PortTakenError(
            f"port {asked} ({variable}) is taken{_by_whom(int(asked))}",
            f"stop what uses it, set {variable} to another port, or unset it to let Fluvial find one",
            part=name,
        )
    return int(asked)


def _by_whom(port: int) -> str:
    """Best effort: only an administrator sees other people's sockets."""
    try:
        listening = (each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
        pid = next((each.pid for each in listening if each.laddr.port == port and each.pid), None)
        return f" by process {pid} ({psutil.Process(pid).name()})" if pid else ""
    except psutil.Error:
        return ""
