"""Publishing an event: its row, and the one by which it waits for its handlers, in the running transaction."""

from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.events.event import Event
from doorstep.kernel.events.subscriptions import handlers_of


def publish(event: Event) -> int:
    """Write the event and let it wait for its handlers; both exist exactly when the transaction commits."""
    return int(run([publishing(event)])[0])


def publishing(event: Event) -> Call:
    """The call that publishes an event, for an act that sends it with its other traces; it answers the event's number."""
    row = {
        "name": type(event).__name__,
        "at": event.at,
        "subject": event.subject,
        "subject_id": event.subject_id,
        "resident_id": event.resident_id,
        "organization_id": event.organization_id,
        "consortium_id": event.consortium_id,
        "user_id": event.user_id,
        "details": dict(event.details),
    }
    return Call("events_publish", (as_json(row), as_json([one.name for one in handlers_of(type(event))])))
