"""Deferring jobs inside the transaction of their cause: the queue is the outbox."""

from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

HANDLE_EVENT = "doorstep.handle_event"


def defer(
    name: str,
    *,
    queue: str = "default",
    schedule_at: datetime | None = None,
    priority: int = 0,
    lock: str | None = None,
    queueing_lock: str | None = None,
    **arguments: Any,
) -> None:
    """Put a job into the queue as part of the running transaction; arguments are ids and plain values.

    Jobs with the same `lock` run one after the other in the order in which they were put in. A `queueing_lock` that already waits
    raises AlreadyEnqueued and needs a savepoint around the call.
    """
    app.configure_task(
        name=name,
        queue=queue,
        schedule_at=schedule_at,
        priority=priority,
        lock=lock,
        queueing_lock=queueing_lock,
        allow_unknown=True,
    ).defer(**arguments)


def defer_handler(*, event_id: int, handler: str, queue: str) -> None:
    """Put one handler of one event into the queue."""
    defer(HANDLE_EVENT, queue=queue, event_id=event_id, handler=handler)
