"""The clients of the booking storm: 64 connections in one loop of a process that knows no Django, so that asking costs little.

Reads a plan as JSON from standard input and writes what came of every try as JSON to standard output.
"""

import contextlib
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# A server that was killed leaves no word: who hears nothing for so long asks again.
_ANSWER_SECONDS = 20.0
_REST_SECONDS = 0.1
# Tries that were begun are asked until they are answered, also when time is over.
_AFTERWARDS_SECONDS = 30.0


@dataclass(slots=True)
class Outcome:
    """What the tries came to: (try, status, milliseconds, when it began, when it ended); status 0 for a lost connection."""

    tries: list[tuple[int, int, float, float, float]] = field(default_factory=list)
    booked: list[tuple[int, str]] = field(default_factory=list)


class Plan:
    """What is asked, and of whom: requests as they go over the line."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.port, self.clients, self.seconds = int(given["port"]), int(given["clients"]), float(given["seconds"])
        self.pairs: list[list[str]] = given["pairs"]
        # Seconds between two lines that say how far it is; 0 for a storm that is short.
        self.says_each = float(given.get("says_each", 0.0))
        self.tries = int(given["tries"])
        self._head = (
            f"POST /fhir/Appointment/$book HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {given['token']}\r\n"
            f"Content-Type: application/fhir+json\r\nIdempotency-Key: {given['run']}-"
        )

    def request(self, number: int) -> bytes:
        """The request of one try: the pairs of slot and patient come round again when there are more tries than pairs."""
        slot, patient = self.pairs[number % len(self.pairs)]
        body = (
            '{"resourceType":"Parameters","parameter":[{"name":"slot","valueString":"' + slot + '"},'
            '{"name":"patient","valueReference":{"reference":"Patient/' + patient + '"}}]}'
        )
        return f"{self._head}{number}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Client:
    """One connection that asks again where the line broke, with the same key: a resend must not book twice."""

    def __init__(self, plan: Plan, outcome: Outcome, numbers: Iterator[int], selector: selectors.BaseSelector) -> None:
        self.plan, self.outcome, self.numbers, self.selector = plan, outcome, numbers, selector
        self.line: socket.socket | None = None
        self.number: int | None = None
        self.request, self.answer = b"", b""
        self.began = self.asked = 0.0
        # When to ask again after a rest; 0 while an answer is awaited.
        self.rests_until = 0.0

    def begin(self, until: float) -> bool:
        """Take the next try off the list; False when time or list is over."""
        self.number = None if time.time() >= until else next(self.numbers, None)
        if self.number is None:
            self._drop()
            return False
        self.request, self.began = self.plan.request(self.number), time.time()
        self.ask()
        return True

    def ask(self) -> None:
        """Send the request, over a new line where there is none."""
        self.answer, self.asked, self.rests_until = b"", time.time(), 0.0
        try:
            if self.line is None:
                self.line = socket.create_connection(("127.0.0.1", self.plan.port), timeout=1.0)
                self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.selector.register(self.line, selectors.EVENT_READ, self)
            self.line.send(self.request)
        except OSError:
            self.rest()

    def rest(self, *, drop: bool = True) -> None:
        """Nobody answers, or the answer is that the server is coming up: ask again in a moment, as a careful client does."""
        if drop:
            self._drop()
        self.rests_until = time.time() + _REST_SECONDS

    def read(self) -> bool:
        """Read what has come; True when the try has its answer."""
        if self.line is None:
            return False
        try:
            more = self.line.recv(65_536)
        except OSError:
            more = b""
        if not more:
            self.rest()
            return False
        self.answer += more
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return False
        status = int(head[9:12])
        if status >= 500:
            self.rest(drop=False)
            return False
        self.finish(status, body)
        return True

    def finish(self, status: int, body: bytes = b"") -> None:
        """Note what came of the try."""
        ended, number = time.time(), self.number or 0
        self.outcome.tries.append((number, status, (ended - self.began) * 1000, self.began, ended))
        if status == 201:
            self.outcome.booked.append((number, str(json.loads(body)["id"])))

    def _drop(self) -> None:
        if self.line is not None:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(self.line)
            self.line.close()
        self.line = None


def _length(head: bytes) -> int:
    place = head.lower().find(b"content-length:")
    return int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0


def storm(plan: Plan) -> Outcome:
    """Let all clients ask together until time or list is over."""
    outcome, selector, numbers = Outcome(), selectors.DefaultSelector(), iter(range(plan.tries))
    until = time.time() + plan.seconds
    clients = [Client(plan, outcome, numbers, selector) for _number in range(plan.clients)]
    open_clients = {id(client): client for client in clients if client.begin(until)}
    looked = said = time.time()
    while open_clients:
        for key, _events in selector.select(0.05):
            client: Client = key.data
            if client.read() and not client.begin(until):
                open_clients.pop(id(client), None)
        now = time.time()
        if now - looked > 0.05:
            looked = now
            if plan.says_each and now - said > plan.says_each:
                said = now
                sys.stderr.write(
                    f"{len(outcome.tries):,} attempts, {len(outcome.booked):,} booked, {until - now:,.0f} s left\n"
                )
                sys.stderr.flush()
            for client in list(open_clients.values()):
                if not _looked_after(client, now, until):
                    open_clients.pop(id(client), None)
    return outcome


def _looked_after(client: Client, now: float, until: float) -> bool:
    """Wake who rests and who has waited in vain; False when the client is done."""
    if now > until + _AFTERWARDS_SECONDS:
        client.finish(0)
        return client.begin(until)
    if client.rests_until and client.rests_until <= now:
        client.ask()
    elif not client.rests_until and client.asked + _ANSWER_SECONDS < now:
        client.rest()
    return True


def main() -> int:
    """Read the plan, storm, write what came of it."""
    outcome = storm(Plan(json.load(sys.stdin)))
    json.dump({"tries": outcome.tries, "booked": outcome.booked}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
