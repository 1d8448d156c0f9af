"""The live process: who hears what, over the real channel of the database."""

import asyncio
import json
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from doorstep.kernel.access.models import User
from doorstep.kernel.web.push import push
from doorstep.site import live
from doorstep.site.live_hub import RESYNC, WAITING, Hub
from doorstep.site.live_topics import topics_for


class Page:
    """A browser's side of one ASGI connection."""

    def __init__(self, path: str = "/live/events", **headers: str) -> None:
        given = {"host": "127.0.0.1:8001", **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        self.scope = {"type": "http", "method": "GET", "path": path, "headers": raw}
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body: asyncio.Queue[str] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body.put_nowait(message["body"].decode())

    async def until(self, word: str) -> str:
        async with asyncio.timeout(10):
            while word not in (text := await self.body.get()):
                pass
        return text


def answer(application: live.Live, page: Page) -> Page:
    asyncio.run(application(page.scope, page.receive, page.send))
    return page


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("", "127.0.0.1:8001", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8001", True),
        ("http://localhost:8000", "127.0.0.1:8001", False),
        ("http://127.0.0.1:9000", "127.0.0.1:8001", False),
        ("https://door.example", "door.example", True),
        ("https://evil.example", "door.example", False),
        ("null", "door.example", False),
    ],
)
def test_origin_is_ours(origin: str, host: str, expected: bool) -> None:
    assert live.origin_is_ours(origin, host) is expected


@pytest.mark.django_db(transaction=True)
def test_events_without_a_session_are_refused() -> None:
    assert answer(live.Live(), Page()).status == 401
    assert answer(live.Live(), Page(cookie="sessionid=forged")).status == 401
    assert answer(live.Live(), Page(host="evil.example")).status == 400
    assert answer(live.Live(), Page(origin="http://evil.example")).status == 403
    assert answer(live.Live(), Page(path="/live/healthz")).status == 200


@pytest.mark.django_db(transaction=True)
def test_events_reach_the_topic_and_nobody_else() -> None:
    client, user = Client(), User.objects.create(username="wang", kind=User.Kind.RESIDENT)
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"

    async def scenario() -> tuple[Page, str, str]:
        application = live.Live()
        page = Page(cookie=cookie, origin="http://127.0.0.1:8000")
        task = asyncio.create_task(application(page.scope, page.receive, page.send))
        first = await page.until("retry:")
        await wait_until_listening(application, page, user.pk)
        await asyncio.to_thread(tell, [f"user:{user.pk + 1}"], "critical", "not-yours")
        await asyncio.to_thread(tell, [f"user:{user.pk}"], "critical", "42")
        heard = await page.until("data:")
        page.closed.set()
        await task
        assert application.hub.size == 0
        return page, first, heard

    page, first, heard = asyncio.run(scenario())
    assert (page.status, first) == (200, "retry: 3000\n\n")
    assert page.headers[b"access-control-allow-origin"] == b"http://127.0.0.1:8000"
    assert json.loads(heard.split("data: ")[1]) == {"kind": "critical", "id": "42"}


async def wait_until_listening(application: live.Live, page: Page, user_id: int) -> None:
    """The LISTEN connection opens beside the first request: knock until an answer comes."""
    for _ in range(50):
        await asyncio.to_thread(tell, [f"user:{user_id}"], "knock", "")
        await asyncio.sleep(0.1)
        if not page.body.empty():
            break
    await asyncio.sleep(0.3)
    while not page.body.empty():
        page.body.get_nowait()


def leave(client: Client) -> None:
    # The pool may take another thread than the one whose connection the page's own look gives back.
    try:
        client.logout()
    finally:
        connections.close_all()


def tell(to: list[str], kind: str, reference: str) -> None:
    connections["default"].close()
    push(to=to, kind=kind, reference=reference)
    connections["default"].close()


@pytest.mark.django_db(transaction=True)
def test_who_logged_out_hears_no_more_although_something_is_always_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.25)
    client, user = Client(), User.objects.create(username="wang", kind=User.Kind.RESIDENT)
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"

    async def scenario() -> bool:
        application = live.Live()
        page = Page(cookie=cookie)
        task = asyncio.create_task(application(page.scope, page.receive, page.send))
        await page.until("retry:")
        await asyncio.to_thread(leave, client)
        for number in range(60):
            application.hub.publish(payload(f"user:{user.pk}", str(number)))
            await asyncio.sleep(0.05)
        ended = task.done()
        page.closed.set()
        await task
        return ended

    assert asyncio.run(scenario())


@pytest.mark.django_db
def test_topics_for_an_ended_session_are_empty(client: Client) -> None:
    user = User.objects.create(username="wang", kind=User.Kind.RESIDENT)
    client.force_login(user)
    key = client.cookies["sessionid"].value
    assert f"user:{user.pk}" in topics_for(key)
    client.logout()
    assert topics_for(key) == frozenset()


def payload(topic: str, reference: str) -> str:
    return json.dumps({"to": [topic], "kind": "worklist", "id": reference})


def test_hub_drops_a_page_that_takes_nothing() -> None:
    hub = Hub()
    slow = hub.join(session_key="a", topics=frozenset({"user:1"}))
    assert slow is not None
    for number in range(WAITING + 1):
        hub.publish(payload("user:1", str(number)))
    assert slow.closed


def test_hub_lets_a_session_open_five_pages() -> None:
    hub = Hub()
    pages = [hub.join(session_key="a", topics=frozenset({"user:1"})) for _ in range(6)]
    assert [page is not None for page in pages] == [True] * 5 + [False]
    assert hub.join(session_key="b", topics=frozenset({"user:2"})) is not None


def test_hub_gives_what_was_missed_or_asks_to_look_anew() -> None:
    hub = Hub()
    mine = frozenset({"user:1"})
    for number in range(3):
        hub.publish(payload("user:1", str(number)))
        hub.publish(payload("user:2", "other"))
    assert [one.reference for one in hub.missed(last=f"{hub.run}-1", topics=mine)] == ["1", "2"]
    assert [one.kind for one in hub.missed(last="another-1", topics=mine)] == [RESYNC]
    assert hub.missed(last="", topics=mine) == []


def test_hub_skips_what_it_cannot_read() -> None:
    hub = Hub()
    page = hub.join(session_key="a", topics=frozenset({"user:1"}))
    hub.publish("no json")
    hub.publish("{}")
    assert page is not None
    assert page.queue.empty()
