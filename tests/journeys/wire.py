"""A person's forms sent without a browser, so that they can be sent again, twice at once, or into a dying process."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
from lxml import html

from tests.journeys.house import House
from tests.journeys.people import Person

PATIENCE_SECONDS = 90.0
ANSWERED = 500


class Wire:
    """The cookies of a person's browser without the browser."""

    def __init__(self, person: Person) -> None:
        self.house: House = person.house
        self.cookies = {str(one["name"]): str(one["value"]) for one in person.context.cookies()}

    def form(self, path: str, *, action: str = "", **values: str) -> tuple[str, dict[str, str]]:
        """The form of a page whose address ends so, as the browser would send it with these values: (address, fields)."""
        page = html.fromstring(self._page(path))
        for form in (one for one in page.iter("form") if isinstance(one, html.FormElement)):
            address = str(form.get("action") or path)
            if form.get("method") == "post" and address.endswith(action or path) and "idempotency_key" in form.fields:
                fields = {str(name): str(value) for name, value in form.fields.items() if value is not None}
                return address, fields | values
        raise AssertionError(f"{path} has no form to {action}")

    def send(self, address: str, fields: dict[str, str], **more: Any) -> httpx.Response:
        """Send a form once."""
        with self._client() as client:
            return client.post(address, data=fields, headers={"Referer": self.house.address}, **more)

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.house.address, cookies=self.cookies, timeout=30)

    def _page(self, path: str) -> str:
        with self._client() as client:
            return client.get(path).raise_for_status().text

    def send_until_answered(self, address: str, fields: dict[str, str], **more: Any) -> httpx.Response:
        """Send the same form again and again, as people do, until it is answered."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self.send(address, fields, **more)
            except httpx.TransportError:
                time.sleep(0.3)
                continue
            if answer.status_code < ANSWERED:
                return answer
            time.sleep(0.3)
        raise AssertionError(f"{address} was never answered")

    def send_while_killing(self, name: str, address: str, fields: dict[str, str], **more: Any) -> httpx.Response:
        """Send a form, kill a process a moment later, and send the form until it is answered."""
        killer = threading.Timer(0.02, self.house.kill, args=(name,))
        killer.start()
        answer = self.send_until_answered(address, fields, **more)
        killer.join()
        self.house.wait_until_ready()
        return answer


def at_once(*acts: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Do things at the same moment; returns their answers in order."""
    answers: dict[int, httpx.Response] = {}
    start = threading.Barrier(len(acts))

    def run(number: int) -> None:
        start.wait()
        answers[number] = acts[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(acts))]
