"""Publishing an event: its row, and one job per subscribed handler, in the running transaction."""

from doorstep.kernel.database import rows
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.subscriptions import handlers_of
from doorstep.kernel.jobs.outbox import defer_handler


def publish(event: Event) -> int:
    """Write the event and hand it to its handlers' jobs; both exist exactly when the transaction commits."""
    row = EventRow(
        name=type(event).__name__,
        subject=event.subject,
        subject_id=event.subject_id,
        resident_id=event.resident_id,
        organization_id=event.organization_id,
        consortium_id=event.consortium_id,
        user_id=event.user_id,
        details=dict(event.details),
    )
    if event.at is not None:
        row.at = event.at
    rows.insert(row)
    for handler in handlers_of(type(event)):
        defer_handler(event_id=row.id, handler=handler.name, queue=handler.queue)
    return row.id
