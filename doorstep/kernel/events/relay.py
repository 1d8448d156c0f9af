"""Hands each event to its handlers, straight from the log: one transaction an event.

The queue of jobs is made for work that is tried again, waits for its hour or for an address of others. A handler does none of
that as a rule, and the queue's own work (put in, fetched, noted and finished, each with its traces) cost more than most
handlers do. So an event waits in a row of its own, which is taken in the transaction in which its handlers run. What
fails goes into the queue, each handler by itself.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from django.db import close_old_connections

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.database.remembered import ask
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.subscriptions import Handler, handler
from doorstep.kernel.jobs.outbox import defer_handler

log = structlog.get_logger(__name__)

# How long after an empty list one looks again: so long may a notice take; and so long while the one who looks is held up.
LOOK_SECONDS = 0.1
CALL_SECONDS = 1.0
# After a failure of the database itself.
PAUSE_SECONDS = 1.0
STOP_SECONDS = 5.0
_HANDLER = system_actor(Purpose.HANDLER)

_WAITS = "SELECT EXISTS (SELECT FROM events_waitingevent)"
# The oldest event that nobody else has in hand, marks for those of its handlers that have not run before, and whether more events
# wait. The moment finds the part of the log that holds the event.
_TAKE = """
WITH taken AS (
  DELETE FROM events_waitingevent
  WHERE event_id = (SELECT event_id FROM events_waitingevent ORDER BY event_id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING event_id, at, handlers
), marked AS (
  INSERT INTO jobs_handlereffect (event_id, handler) SELECT event_id, unnest(handlers) FROM taken
  ON CONFLICT DO NOTHING RETURNING handler
)
SELECT t.event_id, t.handlers, ARRAY(SELECT handler FROM marked), EXISTS (SELECT FROM events_waitingevent w WHERE w.event_id > t.event_id),
  e.name, e.subject, e.subject_id, e.resident_id, e.organization_id, e.consortium_id, e.user_id, e.at, e.details::text
FROM taken t LEFT JOIN events_eventrow e ON e.id = t.event_id AND e.at = t.at
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    """An event in hand and what is to run: its handlers that have not run before, each with the class that it is told by."""

    event_id: int
    runs: tuple[tuple[type[Event], Handler], ...]
    columns: dict[str, Any]
    more: bool


class Relay:
    """Threads that work the waiting events off, oldest first. The first one looks for them, and calls another while more wait.

    The others look now and then whether they are called or not: a handler that takes long in the first one holds nobody else up.
    """

    def __init__(self, *, threads: int) -> None:
        self._stopping = threading.Event()
        self._calls = threading.Semaphore(0)
        self._threads = [
            threading.Thread(target=self._run, args=(number == 0,), name=f"relay-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the events in hand, within five seconds: what is not done by then is rolled back and waits."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS / len(self._threads))

    def _run(self, looks: bool) -> None:
        while not self._stopping.is_set():
            try:
                called = not looks and self._calls.acquire(timeout=CALL_SECONDS)
                if called or ask(_WAITS, [])[0][0]:
                    work_off(more=self._calls.release, stopping=self._stopping)
                elif looks:
                    self._stopping.wait(LOOK_SECONDS)
            except Exception:
                # The database is away, or it could not keep what failed: nothing is lost, the events wait on.
                log.exception("relay_failed")
                close_old_connections()
                self._stopping.wait(PAUSE_SECONDS)
        close_old_connections()


def work_off(*, more: Callable[[], None] = lambda: None, stopping: threading.Event | None = None) -> int:
    """Hand waiting events to their handlers until none is left that nobody else has in hand; returns how many.

    `more` is called when others wait behind the first one. A handler that fails is put into the queue of jobs with the others of
    its event, where each is tried again by itself.
    """
    count = 0
    while stopping is None or not stopping.is_set():
        taken = None
        try:
            with acting(_HANDLER):
                taken = _take()
                if taken is None:
                    return count
                if taken.more and count == 0:
                    more()
                _handle(taken)
        except Exception:
            if taken is None:
                raise
            log.warning("handler_failed", number=taken.event_id, exc_info=True)
            _leave_to_jobs(taken.event_id)
        count += 1
    return count


def _take() -> _Taken | None:
    rows = ask(_TAKE, [])
    if not rows:
        return None
    event_id, handlers, marked, more, name, *values = rows[0]
    fields = ("subject", "subject_id", "resident_id", "organization_id", "consortium_id", "user_id", "at", "details")
    columns = dict(zip(fields, values, strict=True))
    columns["details"] = orjson.loads(columns["details"] or "{}")
    runs = []
    for one in handlers:
        found = handler(name, one) if one in marked else None
        if found is not None:
            runs.append(found)
        elif one in marked:
            log.warning("handler_gone", name=name, handler=one)
    return _Taken(event_id, tuple(runs), columns, more)


def _handle(taken: _Taken) -> None:
    for number, (event_class, reaction) in enumerate(taken.runs):
        if number:
            # The one before may have acted for somebody else.
            bind(_HANDLER)
        reaction.run(event_class(**taken.columns, event_id=taken.event_id))


def _leave_to_jobs(event_id: int) -> None:
    with acting(_HANDLER):
        for handlers in ask(
            "DELETE FROM events_waitingevent WHERE event_id = %s::bigint RETURNING handlers", [event_id]
        ):
            for name in handlers[0]:
                defer_handler(event_id=event_id, handler=name, queue="events")
