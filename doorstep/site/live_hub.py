"""Hands each message of the database's channel to the open pages that may hear it; no page can slow another down."""

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg

from doorstep.kernel.web.push import CHANNEL

log = logging.getLogger("doorstep.live")

REMEMBERED = 500
WAITING = 64
CONNECTIONS_PER_SESSION = 5
LONGEST_PAUSE = 10.0
# Tells pages to fetch everything anew, when messages may have been missed.
RESYNC = "resync"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One push: who may hear it, what kind it is and which thing it is about."""

    number: int
    topics: frozenset[str]
    kind: str
    reference: str


@dataclass(eq=False, kw_only=True)
class Subscriber:
    """One open page. None in the queue means: close."""

    session_key: str
    topics: frozenset[str]
    queue: asyncio.Queue[Message | None] = field(default_factory=lambda: asyncio.Queue(maxsize=WAITING))
    closed: bool = False

    def offer(self, message: Message | None) -> None:
        """Queue a message; a page that has not taken 64 messages is dropped and will ask again by itself."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.closed = True


class Hub:
    """All open pages of this process and the last messages, for pages that come back."""

    def __init__(self) -> None:
        # Numbers of another process mean nothing here: the run's own name goes in front.
        self.run = secrets.token_hex(4)
        self._number = 0
        self._subscribers: set[Subscriber] = set()
        self._remembered: deque[Message] = deque(maxlen=REMEMBERED)

    @property
    def size(self) -> int:
        """How many pages are open."""
        return len(self._subscribers)

    def join(self, *, session_key: str, topics: frozenset[str]) -> Subscriber | None:
        """Add a page; None when the session already has five."""
        if sum(known.session_key == session_key for known in self._subscribers) >= CONNECTIONS_PER_SESSION:
            return None
        subscriber = Subscriber(session_key=session_key, topics=topics)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a page."""
        self._subscribers.discard(subscriber)

    def publish(self, payload: str) -> None:
        """Hand out one payload of the channel; one that cannot be read is logged and skipped."""
        try:
            content = json.loads(payload)
            topics, kind, reference = frozenset(content["to"]), str(content["kind"]), str(content["id"])
        except (ValueError, KeyError, TypeError):
            log.error("unreadable push: %s", payload[:200])
            return
        message = self._make(topics, kind, reference)
        self._remembered.append(message)
        for subscriber in self._subscribers:
            if subscriber.topics & message.topics:
                subscriber.offer(message)

    def resync(self) -> None:
        """Tell every page that messages may have been missed."""
        message = self._make(frozenset(), RESYNC, "")
        for subscriber in self._subscribers:
            subscriber.offer(message)

    def missed(self, *, last: str, topics: frozenset[str]) -> list[Message]:
        """Return what a page missed since its Last-Event-ID; a resync when we no longer know."""
        if not last:
            return []
        run, _, text = last.partition("-")
        number = int(text) if text.isdecimal() else -1
        oldest = self._remembered[0].number if self._remembered else self._number + 1
        if run != self.run or number < 0 or number + 1 < oldest:
            return [self._make(frozenset(), RESYNC, "")]
        return [message for message in self._remembered if message.number > number and message.topics & topics]

    def identifier(self, message: Message) -> str:
        """Return the id of a message on the wire."""
        return f"{self.run}-{message.number}"

    def _make(self, topics: frozenset[str], kind: str, reference: str) -> Message:
        self._number += 1
        return Message(number=self._number, topics=topics, kind=kind, reference=reference)


async def listen(hub: Hub, connect: Callable[[], Awaitable[psycopg.AsyncConnection]]) -> None:
    """Feed the hub from the database's channel for ever; after a lost connection every page is told to look anew."""
    pause, first = 1.0, True
    while True:
        try:
            async with await connect() as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                if not first:
                    hub.resync()
                pause, first = 1.0, False
                async for notification in connection.notifies():
                    hub.publish(notification.payload)
        except (psycopg.Error, OSError) as error:
            log.warning("live channel lost, again in %.0f s: %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
