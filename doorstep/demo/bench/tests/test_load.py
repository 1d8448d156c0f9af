"""The load generator against a small server of its own."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from doorstep.demo.bench.load import run


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str] = []

    def do_GET(self) -> None:
        """Answer whole, or in chunks."""
        self.asked.append(self.path)
        self.send_response(200 if self.path != "/broken" else 500)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\r\nok\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self) -> None:
        """Say where it went on."""
        self.asked.append(f"{self.path} {self.rfile.read(int(self.headers['Content-Length'])).decode()}")
        self.send_response(302)
        self.send_header("Location", "/things/7/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server on a free port."""
    _Answers.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _plan(port: int, *clients: list[dict[str, object]]) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "clients": list(clients),
        "seconds": 20.0,
        "warm_up": 0.0,
        "rounds": 3,
    }


def _get(path: str) -> dict[str, object]:
    return {"method": "GET", "path": path, "headers": {}, "expects": [200]}


def test_run_counts_answers_of_all_clients(port: int) -> None:
    """Two clients, three rounds, whole and chunked bodies on kept connections."""
    tally = run(_plan(port, [_get("/a"), _get("/chunked")], [_get("/b")]))
    assert tally["statuses"] == {"200": 9}
    assert len(tally["times"][""]) == 9
    assert tally["broken"] == 0
    assert not tally["bad"]


def test_run_tells_bad_answer(port: int) -> None:
    """An answer that was not expected is counted and its beginning is kept."""
    tally = run(_plan(port, [_get("/broken")]))
    assert tally["statuses"] == {"500": 3}
    assert tally["bad"] == "GET /broken: 500 ok"


def test_run_follows_kept_location(port: int) -> None:
    """A step goes on where an earlier one led, and every form has a key of its own."""
    steps: list[dict[str, object]] = [
        {"method": "POST", "path": "/things/", "headers": {}, "expects": [302], "keep": True, "body": "key={uuid}"},
        {"method": "POST", "path": "{location}end/", "headers": {}, "expects": [302], "body": "key={uuid}"},
    ]
    tally = run(_plan(port, steps))
    assert tally["statuses"] == {"302": 6}
    paths, keys = zip(*(line.split(" ") for line in _Answers.asked), strict=True)
    assert paths == ("/things/", "/things/7/end/") * 3
    assert len(set(keys)) == 6
