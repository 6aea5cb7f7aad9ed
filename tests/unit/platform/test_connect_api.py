import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from fluvial.errors import StackError
from fluvial.local.connect_api import ConnectApi, ConnectorStatus

Answers = dict[str, list[tuple[int, Any]]]
"""What `METHOD /path` answers, one after the other; the last one stays."""


class Worker:
    """A Kafka Connect worker with a script."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def api(self) -> ConnectApi:
        return ConnectApi(f"http://127.0.0.1:{self.server.server_port}")

    def answer(self, request: str) -> tuple[int, Any]:
        self.asked.append(request)
        script = self.answers.get(request, [(404, {"message": f"no {request}"})])
        return script.pop(0) if len(script) > 1 else script[0]

    def _handler(worker) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = worker.answer(f"{self.command} {self.path}")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker({})
    yield worker
    worker.server.shutdown()
    worker.server.server_close()


def test_a_worker_that_is_rebalancing_is_asked_again(worker: Worker) -> None:
    worker.answers["PUT /connectors/shop/config"] = [(409, {"message": "rebalancing"}), (201, {})]
    worker.answers["PUT /connector-plugins/c.Class/config/validate"] = [(200, {"configs": []})]

    worker.api.put_config("shop", {"connector.class": "c.Class"})

    assert worker.asked.count("PUT /connectors/shop/config") == 2


def test_every_wrong_setting_is_shown_even_where_connect_answers_500(worker: Worker) -> None:
    wrong = [
        {"value": {"name": "slot.name", "errors": ["is required"]}},
        {"value": {"name": "topic.prefix", "errors": ["is required", "is odd"]}},
        {"value": {"name": "tasks.max", "errors": []}},
    ]
    worker.answers["PUT /connectors/shop/config"] = [(500, {"message": "Internal Server Error"})]
    worker.answers["PUT /connector-plugins/c.Class/config/validate"] = [(200, {"configs": wrong})]

    with pytest.raises(StackError) as raised:
        worker.api.put_config("shop", {"connector.class": "c.Class"})

    assert raised.value.message == (
        "Kafka Connect refuses connector 'shop':\n  slot.name: is required\n  topic.prefix: is required; is odd"
    )


def test_an_unknown_connector_has_neither_config_nor_status(worker: Worker) -> None:
    assert (worker.api.config("shop"), worker.api.status("shop")) == (None, None)


def test_removing_a_connector_forgets_its_position_first(worker: Worker) -> None:
    worker.answers |= {
        "GET /connectors/shop/config": [(200, {})],
        "PUT /connectors/shop/stop": [(202, None)],
        "GET /connectors/shop/status": [(200, {"connector": {"state": "STOPPED"}, "tasks": []})],
        "DELETE /connectors/shop/offsets": [(200, {})],
        "DELETE /connectors/shop": [(204, None)],
    }

    assert worker.api.remove("shop") is True
    assert worker.asked[-2:] == ["DELETE /connectors/shop/offsets", "DELETE /connectors/shop"]


def test_nobody_at_the_port_is_a_stack_error_that_says_what_to_do() -> None:
    with pytest.raises(StackError, match=r"doesn't answer: .*refused\n  -> .*fluvial up"):
        ConnectApi("http://127.0.0.1:1").connectors()


@pytest.mark.parametrize(
    ("connector", "tasks", "is_running"),
    [("RUNNING", ("RUNNING",), True), ("RUNNING", (), False), ("RUNNING", ("FAILED",), False), ("PAUSED", (), False)],
)
def test_a_connector_runs_only_with_its_task(connector: str, tasks: tuple[str, ...], is_running: bool) -> None:
    assert ConnectorStatus(connector, tasks).is_running is is_running


def test_the_reason_of_a_failure_is_its_first_line_and_its_causes() -> None:
    trace = "ConnectException: it broke\n\tat a.b\n\tat c.d\nCaused by: PSQLException: no slot\n\tat e.f"

    status = ConnectorStatus("RUNNING", ("FAILED",), trace)

    assert status.first_lines() == "ConnectException: it broke\nCaused by: PSQLException: no slot"
