"""The load generator: clients with kept connections in a process of their own, a plan on stdin, times on stdout.

Plain sockets, because a client library would take more of the two cores than the server it measures.
"""

import json
import re
import socket
import sys
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

TIMEOUT_SECONDS = 60.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@dataclass
class Tally:
    """What one client, or all of them, saw: milliseconds of each answer by step, statuses, the first bad answer."""

    times: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    bad: str = ""

    def add(self, other: "Tally") -> None:
        """Take over another tally."""
        for step, times in other.times.items():
            self.times.setdefault(step, []).extend(times)
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count
        self.broken += other.broken
        self.bad = self.bad or other.bad


class Client:
    """One kept connection that goes through its requests again and again."""

    def __init__(self, host: str, port: int, requests: list[dict[str, Any]]) -> None:
        self._address = (host, port)
        self._requests = requests
        self._socket: socket.socket | None = None
        self._rest = b""
        self._location = ""
        self.tally = Tally()

    def run(self, *, begins: float, ends: float, rounds: int | None) -> None:
        """Ask until `ends` (seconds of the monotonic clock) or for so many rounds; answers before `begins` warm up."""
        done = 0
        while time.monotonic() < ends and (rounds is None or done < rounds):
            for request in self._requests:
                if time.monotonic() >= ends:
                    break
                self._ask(request, counts=time.monotonic() >= begins)
            done += 1
        if self._socket is not None:
            self._socket.close()

    def _ask(self, request: dict[str, Any], *, counts: bool) -> None:
        raw = self._bytes(request)
        started = time.perf_counter()
        try:
            status, location, body = self._exchange(raw)
        except OSError as error:
            self._socket = None
            self.tally.broken += 1
            self.tally.bad = self.tally.bad or repr(error)
            return
        took = (time.perf_counter() - started) * 1000
        if request.get("keep"):
            self._location = location
        if status not in request["expects"] and not self.tally.bad:
            self.tally.bad = f"{request['method']} {request['path']}: {status} {body[:600].decode(errors='replace')}"
        if counts:
            self.tally.times.setdefault(request.get("step", ""), []).append(took)
            self.tally.statuses[str(status)] = self.tally.statuses.get(str(status), 0) + 1

    def _bytes(self, request: dict[str, Any]) -> bytes:
        body: bytes = request.get("body", "").replace("{uuid}", str(uuid.uuid4())).encode()
        lines = [
            f"{request['method']} {request['path'].replace('{location}', self._location)} HTTP/1.1",
            f"Host: {self._address[0]}:{self._address[1]}",
            *(f"{name}: {value}" for name, value in request["headers"].items()),
        ]
        if request["method"] == "POST":
            if "Content-Type" not in request["headers"]:
                lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        return b"\r\n".join(line.encode() for line in lines) + b"\r\n\r\n" + body

    def _exchange(self, raw: bytes) -> tuple[int, str, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._rest = b""
        self._socket.sendall(raw)
        head, _, rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        self._rest = rest
        found = _LENGTH.search(head)
        if found:
            body = self._exactly(int(found.group(1)))
        elif _CHUNKED.search(head):
            body, _, self._rest = self._until(b"0\r\n\r\n").partition(b"0\r\n\r\n")
        else:
            body = b""
        location = _LOCATION.search(head)
        return int(head[9:12]), location.group(1).decode() if location else "", body

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._receive()
        return self._rest

    def _exactly(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return body

    def _receive(self) -> None:
        part = self._socket.recv(262_144) if self._socket is not None else b""
        if not part:
            raise ConnectionResetError("the server closed the connection")
        self._rest += part


def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Let every client of the plan go at once; return the tally of all and the seconds that were measured."""
    clients = [Client(plan["host"], plan["port"], requests) for requests in plan["clients"]]
    begins = time.monotonic() + plan["warm_up"]
    ends = begins + plan["seconds"]
    bounds = {"begins": begins, "ends": ends, "rounds": plan.get("rounds")}
    threads = [threading.Thread(target=client.run, kwargs=bounds) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = Tally()
    for client in clients:
        tally.add(client.tally)
    return {**asdict(tally), "seconds": min(time.monotonic(), ends) - begins}


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
