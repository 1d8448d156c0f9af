"""The live process: server-sent events for open pages, fed by one LISTEN connection. No ORM on the event loop.

GET /live/events   for the session of the cookie; carries kind and id only, the page fetches the content itself
GET /live/healthz  says how many pages are open
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import django
import psycopg
from django.conf import settings
from django.http.request import validate_host

django.setup()

from django.db import close_old_connections, connections  # noqa: E402

from doorstep.site.live_hub import Hub, Message, Subscriber, listen  # noqa: E402
from doorstep.site.live_topics import topics_for  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

HEARTBEAT_SECONDS = 15.0
# A log-out or a changed post is noticed within so many heartbeats.
HEARTBEATS_PER_CHECK = 4
RETRY_MILLISECONDS = 3000
# A page that takes no bytes for so long is gone.
SEND_SECONDS = 10.0


class Live:
    """The ASGI application; it begins to listen with the first request, because the server may have no lifespan."""

    def __init__(self) -> None:
        self.hub = Hub()
        self._listening: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        self._begin()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not validate_host(_name(headers.get("host", "")), settings.ALLOWED_HOSTS):
            await _answer(send, 400, "unknown host")
        elif scope["path"] == "/live/healthz":
            await _answer(send, 200, json.dumps({"pages": self.hub.size}), kind=b"application/json")
        elif scope["path"] != "/live/events" or scope["method"] != "GET":
            await _answer(send, 404, "not found")
        elif not origin_is_ours(headers.get("origin", ""), headers.get("host", "")):
            await _answer(send, 403, "foreign origin")
        else:
            await self._events(headers, receive, send)

    def _begin(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = asyncio.get_running_loop().create_task(listen(self.hub, _connect))

    async def _events(self, headers: dict[str, str], receive: Receive, send: Send) -> None:
        origin = headers.get("origin", "")
        session_key = _session_key(headers.get("cookie", ""))
        topics = await asyncio.to_thread(_topics, session_key) if session_key else frozenset()
        if not topics:
            await _answer(send, 401, "log in first", origin=origin)
            return
        subscriber = self.hub.join(session_key=session_key, topics=topics)
        if subscriber is None:
            await _answer(send, 429, "too many open pages", origin=origin)
            return
        gone = asyncio.create_task(_await_disconnect(receive, subscriber))
        try:
            await _start(send, origin)
            missed = self.hub.missed(last=headers.get("last-event-id", ""), topics=topics)
            await _write(send, f"retry: {RETRY_MILLISECONDS}\n\n" + "".join(self._line(one) for one in missed))
            await self._follow(subscriber, send)
            await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), SEND_SECONDS)
        except (TimeoutError, OSError):
            # The page went away or takes nothing: it will ask again by itself.
            return
        finally:
            gone.cancel()
            self.hub.leave(subscriber)

    async def _follow(self, subscriber: Subscriber, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        asked = clock()
        while not subscriber.closed:
            message: Message | None = None
            with contextlib.suppress(TimeoutError):
                message = await asyncio.wait_for(subscriber.queue.get(), HEARTBEAT_SECONDS)
                if message is None:
                    return
            # By the clock, not by silence: where something is always told, nobody would ever be asked again.
            if clock() - asked >= HEARTBEAT_SECONDS * HEARTBEATS_PER_CHECK:
                subscriber.topics = await asyncio.to_thread(_topics, subscriber.session_key)
                asked = clock()
                if not subscriber.topics:
                    return
            await _write(send, ": still here\n\n" if message is None else self._line(message))

    def _line(self, message: Message) -> str:
        data = json.dumps({"kind": message.kind, "id": message.reference})
        return f"id: {self.hub.identifier(message)}\ndata: {data}\n\n"


def origin_is_ours(origin: str, host: str) -> bool:
    """Whether a page of this origin may listen: our host on our port or the one before, or one of LIVE_PAGE_ORIGINS."""
    if not origin or origin in settings.LIVE_PAGE_ORIGINS:
        return True
    page, own = urlsplit(origin), urlsplit(f"//{host}")
    if page.scheme not in {"http", "https"} or page.hostname != own.hostname:
        return False
    if own.port is None:
        return page.port is None
    return page.port in {own.port, own.port - 1}


def _topics(session_key: str) -> frozenset[str]:
    # Threads of the pool outlive a request: a connection that broke meanwhile is replaced, an idle one given back.
    close_old_connections()
    try:
        return topics_for(session_key)
    finally:
        connections.close_all()


async def _connect() -> psycopg.AsyncConnection:
    known = connections["default"].settings_dict
    return await psycopg.AsyncConnection.connect(
        host=known["HOST"],
        port=known["PORT"] or None,
        dbname=known["NAME"],
        user=known["USER"],
        password=known["PASSWORD"],
        autocommit=True,
        connect_timeout=10,
    )


async def _await_disconnect(receive: Receive, subscriber: Subscriber) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    subscriber.closed = True
    subscriber.offer(None)


async def _start(send: Send, origin: str) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        # A proxy in front must not collect the lines.
        (b"x-accel-buffering", b"no"),
        *_cross_origin(origin),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _write(send: Send, text: str) -> None:
    await asyncio.wait_for(send({"type": "http.response.body", "body": text.encode(), "more_body": True}), SEND_SECONDS)


async def _answer(send: Send, status: int, text: str, *, kind: bytes = b"text/plain", origin: str = "") -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), *_cross_origin(origin)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _cross_origin(origin: str) -> Headers:
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _session_key(header: str) -> str:
    try:
        found = SimpleCookie(header).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


def _name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


application = Live()
