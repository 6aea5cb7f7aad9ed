"""A small Airflow REST server for tests: answers what it was told to, and remembers what it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from fluvial.local.airflow_access import AirflowAccess

Answer = tuple[int, Any]


@dataclass
class AirflowServer:
    """Answers by "METHOD path"; several answers are given one after the other, the last one for ever."""

    access: AirflowAccess
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, request: str, *answers: Answer) -> None:
        self.answers[request] = list(answers)

    def reply(self, request: str, body: Any, token: str) -> Answer:
        self.asked.append((request, body))
        if request == "POST /auth/token":
            good = body == {"username": "admin", "password": self.access.password}
            return (201, {"access_token": "let-me-in"}) if good else (401, {})
        if request != "GET /api/v2/monitor/health" and token != "Bearer let-me-in":  # noqa: S105
            return 401, {"detail": "log in"}
        known = self.answers.get(request, [(404, {"detail": "not found"})])
        return known.pop(0) if len(known) > 1 else known[0]


@contextmanager
def serve_airflow() -> Iterator[AirflowServer]:
    """A server that answers while the block runs."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server = AirflowServer(AirflowAccess(http.server_address[1], "open sesame", "jwt", "key"))

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            request = f"{self.command} {self.path}"
            status, answer = server.reply(request, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent."""

    http.RequestHandlerClass = Handler
    thread = Thread(target=http.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
