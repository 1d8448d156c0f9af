"""The clients of the booking storm: 64 connections in a process of their own that knows no Django, so that asking costs little.

Reads a plan as JSON from standard input and writes what came of every try as JSON to standard output.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_ANSWER_SECONDS = 20.0


@dataclass(slots=True)
class Outcome:
    """What the tries came to: (try, status, milliseconds, when it began, when it ended); status 0 for a lost connection."""

    tries: list[tuple[int, int, float, float, float]] = field(default_factory=list)
    booked: list[tuple[int, str]] = field(default_factory=list)


class Client:
    """One connection that asks again where the line broke, with the same key: a resend must not book twice."""

    def __init__(self, plan: dict[str, Any], outcome: Outcome) -> None:
        self.plan, self.outcome = plan, outcome
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def run(self, numbers: "asyncio.Queue[int]", until: float) -> None:
        """Take tries off the list until time or list is over."""
        while time.time() < until and not numbers.empty():
            await self._try(numbers.get_nowait(), until)
        self._drop()

    async def _try(self, number: int, until: float) -> None:
        began = time.time()
        while True:
            try:
                status, body = await asyncio.wait_for(self._ask(number), _ANSWER_SECONDS)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                self._drop()
                status, body = 0, b""
            # A server that is coming up again answers 5xx: ask again, as a careful client does.
            if 0 < status < 500 or time.time() > until + 30:
                break
            await asyncio.sleep(0.1)
        ended = time.time()
        self.outcome.tries.append((number, status, (ended - began) * 1000, began, ended))
        if status == 201:
            self.outcome.booked.append((number, str(json.loads(body)["id"])))

    async def _ask(self, number: int) -> tuple[int, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.plan["port"])
        if self.reader is None:
            raise OSError("no line")
        slot, patient = self.plan["tries"][number]
        given = [
            {"name": "slot", "valueString": slot},
            {"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}},
        ]
        body = json.dumps({"resourceType": "Parameters", "parameter": given}).encode()
        head = (
            f"POST /fhir/Appointment/$book HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.plan['token']}\r\n"
            f"Content-Type: application/fhir+json\r\nIdempotency-Key: {self.plan['run']}-{number}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        return int(answer[9:12]), await self.reader.readexactly(length)

    def _drop(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def storm(plan: dict[str, Any]) -> Outcome:
    """Let all clients ask together."""
    numbers: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(plan["tries"])):
        numbers.put_nowait(number)
    outcome = Outcome()
    until = time.time() + plan["seconds"]
    await asyncio.gather(*(Client(plan, outcome).run(numbers, until) for _number in range(plan["clients"])))
    return outcome


def main() -> int:
    """Read the plan, storm, write what came of it."""
    outcome = asyncio.run(storm(json.load(sys.stdin)))
    json.dump({"tries": outcome.tries, "booked": outcome.booked}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
