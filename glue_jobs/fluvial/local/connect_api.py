"""Kafka Connect's REST API: only what Fluvial asks of it."""

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from fluvial.errors import StackError

_TIMEOUT_SECONDS: Final = 30
_PATIENCE_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 0.2
# A worker that has just joined, or is rebalancing, answers so for a moment.
_TRANSIENT: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR}
_TRACE_LINES: Final = 6


@dataclass(frozen=True)
class ConnectorStatus:
    """What Connect says of one connector; `trace` is of the first failed part."""

    connector: str
    tasks: tuple[str, ...]
    trace: str = ""

    @property
    def is_running(self) -> bool:
        """Whether the connector and all its tasks run, and there is a task."""
        return self.connector == "RUNNING" and bool(self.tasks) and set(self.tasks) == {"RUNNING"}

    @property
    def is_failed(self) -> bool:
        """Whether some part has given up."""
        return "FAILED" in (self.connector, *self.tasks)

    def first_lines(self) -> str:
        """The start of the trace, which holds the reason, and its causes."""
        lines = self.trace.splitlines()
        causes = [line for line in lines[1:] if line.startswith("Caused by")]
        return "\n".join([*lines[:1], *causes][:_TRACE_LINES])


class _AnswerError(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class ConnectApi:
    """One Connect worker at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def connectors(self) -> tuple[str, ...]:
        """Names of all connectors."""
        return tuple(self._call("GET", "/connectors"))

    def config(self, name: str) -> dict[str, str] | None:
        """The configuration a connector has now; None where there is no such connector."""
        answer: dict[str, str] | None = self._call_or_none("GET", f"/connectors/{quote(name)}/config")
        return answer

    def status(self, name: str) -> ConnectorStatus | None:
        """State of a connector and its tasks; None until Connect knows it."""
        answer = self._call_or_none("GET", f"/connectors/{quote(name)}/status")
        if answer is None:
            return None
        parts = [answer["connector"], *answer["tasks"]]
        trace = next((part["trace"] for part in parts if part.get("trace")), "")
        return ConnectorStatus(answer["connector"]["state"], tuple(task["state"] for task in answer["tasks"]), trace)

    def put_config(self, name: str, config: dict[str, str]) -> None:
        """Creates or changes a connector; raises StackError with every wrong setting."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._call("PUT", f"/connectors/{quote(name)}/config", config)
            except _AnswerError as error:
                wrong = self._wrong_settings(config)
                if wrong or error.status not in _TRANSIENT or time.monotonic() > deadline:
                    raise _refused(name, wrong or error.body) from error
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def restart_failed(self, name: str) -> None:
        """Starts the failed parts of a connector again."""
        self._patiently("POST", f"/connectors/{quote(name)}/restart?includeTasks=true&onlyFailed=true")

    def resume(self, name: str) -> None:
        """Lets a paused or stopped connector go on."""
        self._patiently("PUT", f"/connectors/{quote(name)}/resume")

    def remove(self, name: str) -> bool:
        """Removes a connector and its position in the source; whether there was one.

        Connect keeps the position of a removed connector, and a new one of that name would take no snapshot.
        """
        if self.config(name) is None:
            return False
        self._patiently("PUT", f"/connectors/{quote(name)}/stop")
        self._wait_until_stopped(name)
        self._patiently("DELETE", f"/connectors/{quote(name)}/offsets")
        self._patiently("DELETE", f"/connectors/{quote(name)}")
        return True

    def _wait_until_stopped(self, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = self.status(name)
            if status is None or (status.connector == "STOPPED" and not status.tasks):
                return
            time.sleep(_PAUSE_SECONDS)
        raise StackError(f"connector '{name}' doesn't stop", "see the log of Kafka Connect", part="connect")

    def _wrong_settings(self, config: dict[str, str]) -> str:
        """Connect's own validation, which says what the answer to a PUT hides behind HTTP 500; empty if all is well."""
        plugin = quote(config.get("connector.class", ""))
        try:
            answer = self._call("PUT", f"/connector-plugins/{plugin}/config/validate", config)
        except _AnswerError as error:
            return "" if error.status in _TRANSIENT else error.body
        values = [item["value"] for item in answer.get("configs", ()) if item.get("value")]
        return "\n".join(f"  {value['name']}: {'; '.join(value['errors'])}" for value in values if value.get("errors"))

    def _patiently(self, method: str, path: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._call(method, path)
            except _AnswerError as error:
                if error.status not in _TRANSIENT or time.monotonic() > deadline:
                    raise StackError(
                        f"Kafka Connect answers {error}", "see the log of Connect", part="connect"
                    ) from error
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _call_or_none(self, method: str, path: str) -> Any:
        try:
            return self._call(method, path)
        except _AnswerError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise StackError(f"Kafka Connect answers {error}", "see the log of Connect", part="connect") from error

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - the URL is the stack's own, on the loopback interface
            self._url + path, method=method, data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise _AnswerError(error.code, _message(error.read())) from error
        except (URLError, OSError) as error:
            raise StackError(
                f"Kafka Connect at {self._url} doesn't answer: {getattr(error, 'reason', error)}",
                "see `fluvial status`, mend it with `fluvial up`",
                part="connect",
            ) from error


def _refused(name: str, reasons: str) -> StackError:
    return StackError(
        f"Kafka Connect refuses connector '{name}':\n{reasons}",
        "mend what it names; the log of Connect has the rest",
        part="connect",
    )


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:600]
