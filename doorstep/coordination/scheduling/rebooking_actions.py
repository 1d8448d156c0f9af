"""Finding new times for those whom a stopped clinic called off."""

import uuid

from django.db import transaction

from doorstep.coordination.scheduling import actions, booking_queries
from doorstep.coordination.scheduling.models import Booking, Rebooking
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.workflow import actions as workflow


@transaction.atomic
def rebook(*, key: uuid.UUID | str, slot_key: uuid.UUID | str, origin: str, actor: Actor) -> Booking:
    """Book a new time for the same thing and close the task; both or neither."""
    task = booking_queries.get_rebooking(key=key, actor=actor)
    if task.new_booking is not None:
        return task.new_booking
    old = task.booking
    held = actions.hold(slot_key=slot_key, origin=origin, actor=actor, resident_id=task.resident_id)
    wish = Wish(reference=old.reference, changed_from=old, wanted_since=old.wanted_since)
    booking = actions.book(hold_key=held.key, resident_id=task.resident_id, actor=actor, wish=wish)
    verb = "self-rebook" if actor.kind is ActorKind.RESIDENT else "rebook"
    workflow.apply(
        task, verb, actor=actor, values={"new_booking_id": booking.pk}, details={"booking": str(booking.key)}
    )
    return booking


@transaction.atomic
def drop(*, key: uuid.UUID | str, reason: str, actor: Actor) -> Rebooking:
    """Close the task without a new time, with the reason."""
    task = booking_queries.get_rebooking(key=key, actor=actor)
    return workflow.apply(task, "drop", actor=actor, reason=reason)
