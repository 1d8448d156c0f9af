"""Finding new times for those whom a stopped clinic called off."""

import uuid

from django.db import transaction

from doorstep.coordination.scheduling import actions, booking_queries
from doorstep.coordination.scheduling.models import Booking, Rebooking
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.workflow.publication import resources_of


@transaction.atomic
def rebook(*, key: uuid.UUID | str, slot_key: uuid.UUID | str, origin: str, actor: Actor) -> Booking:
    """Book a new time for the same thing and close the task; both or neither."""
    task = booking_queries.get_rebooking(key=key, actor=actor)
    if task.new_booking is not None:
        return task.new_booking
    old = task.booking
    wish = Wish(reference=old.reference, changed_from=old, wanted_since=old.wanted_since)
    held = actions.hold(slot_key=slot_key, origin=origin, actor=actor, resident_id=task.resident_id, wish=wish)
    booking = actions.book(hold_key=held.key, resident_id=task.resident_id, actor=actor, wish=wish)
    verb = "self-rebook" if actor.kind is ActorKind.RESIDENT else "rebook"
    workflow.apply(
        task, verb, actor=actor, values={"new_booking_id": booking.pk}, details={"booking": str(booking.key)}
    )
    return booking


def settle(*, booking: Booking, actor: Actor) -> Rebooking | None:
    """Close what a stopped clinic left for this person in the department of a new booking, however it came about; None for nothing.

    From the waiting list, on the own phone, at the machine or by telephone: who has a new time is looked after no more. The new
    booking says from now on which one it replaces, as one does that was found with the task's own button.
    """
    department_id = booking.slot.schedule.department_id
    task = (
        Rebooking.objects.select_related("booking")
        .filter(resident_id=booking.resident_id, state="open", booking__slot__schedule__department_id=department_id)
        .order_by("created_at")
        .first()
    )
    if task is None or booking_queries.answers_one(booking_id=booking.pk):
        # Whoever was called off twice has two times to be found.
        return None
    if actor.kind is ActorKind.RESIDENT:
        return _settled(task, booking, "self-rebook", actor)
    with for_purpose(Purpose.HANDLER, actor):
        return _settled(task, booking, "rebook", system_actor(Purpose.HANDLER, consortium_id=task.consortium_id))


def _settled(task: Rebooking, booking: Booking, verb: str, actor: Actor) -> Rebooking:
    """The task closed with a booking; one that replaces another already keeps its word."""
    made, old = workflow.lock(booking), task.booking
    shown: list[Published] = []
    if made.changed_from_id is None:
        made.changed_from, made.replaces_key = old, old.key
        # The wait began with the first wish, not when the stop made somebody ask again.
        made.wanted_since = min(old.wanted_since, made.wanted_since)
        made.save(update_fields=["changed_from", "replaces_key", "wanted_since"])
        shown = resources_of(made)
    values, details = {"new_booking_id": made.pk}, {"booking": str(made.key)}
    return workflow.apply(task, verb, actor=actor, values=values, details=details, also=shown)


@transaction.atomic
def settle_found(*, actor: Actor) -> int:
    """Close what stopped clinics left for those who were booked anew by any way since: a desk, a referral, a system; returns how many."""
    return sum(settle(booking=booking, actor=actor) is not None for booking in booking_queries.booked_anew())


@transaction.atomic
def drop(*, key: uuid.UUID | str, reason: str, actor: Actor) -> Rebooking:
    """Close the task without a new time, with the reason; residents need give none."""
    task = booking_queries.get_rebooking(key=key, actor=actor)
    verb = "self-drop" if actor.kind is ActorKind.RESIDENT else "drop"
    return workflow.apply(task, verb, actor=actor, reason=reason)
