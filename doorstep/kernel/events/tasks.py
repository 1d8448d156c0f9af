"""The job of a handler that failed when its event came (relay.py): tried again by itself."""

from typing import Any

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.database.remembered import Remembered
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.subscriptions import handler as find_handler
from doorstep.kernel.jobs.outbox import HANDLE_EVENT
from doorstep.kernel.jobs.running import take_effect_once

log = structlog.get_logger(__name__)

# The log is kept in parts by month, each of which is looked at when a statement is planned anew.
_EVENT = Remembered(lambda event_id: EventRow.objects.filter(id=event_id))


@app.task(name=HANDLE_EVENT, queue="events", retry=RetryStrategy(max_attempts=12, exponential_wait=2))
def handle_event(event_id: int, handler: str, **ignored: Any) -> None:
    """Load the event and let one handler react, once."""
    with acting(system_actor(Purpose.HANDLER)):
        row = _EVENT.one(event_id)
        if row is None:
            raise EventRow.DoesNotExist(f"event {event_id}")
        found = find_handler(row.name, handler)
        if found is None:
            log.warning("handler_gone", name=row.name, handler=handler)
            return
        event_class, reaction = found
        event = to_event(row, event_class)
        take_effect_once(event_id=event_id, handler=handler, run=lambda: reaction.run(event))


def to_event(row: EventRow, event_class: type[Event]) -> Event:
    """The event behind its row."""
    return event_class(
        subject=row.subject,
        subject_id=row.subject_id,
        resident_id=row.resident_id,
        organization_id=row.organization_id,
        consortium_id=row.consortium_id,
        user_id=row.user_id,
        at=row.at,
        details=row.details,
        event_id=row.id,
    )
