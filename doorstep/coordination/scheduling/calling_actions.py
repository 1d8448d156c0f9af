"""What a kiosk, a telephone operator, a doctor or a desk does for a person, and the word that is sent of it."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from doorstep.coordination.scheduling import actions, rebooking_actions, telling
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit


def note_known(*, resident_id: int, here: bool, actor: Actor) -> None:
    """Keep in the trail how somebody is known: by the registered telephone, called back, or `here`, with the identity card at the counter."""
    actor.check(Permission.PHONE_DESK)
    action = "caller.at-counter" if here else "caller.called-back"
    audit.record(action=action, actor=actor, resident_id=resident_id)


def note_export(*, what: str, resident_ids: Sequence[int], actor: Actor) -> None:
    """Keep in the trail who took a list with names along, which one and how long it was; each resident on it sees it."""
    audit.record_list(
        action="slots.export",
        actor=actor,
        subject=f"slots/{what}",
        resident_ids=resident_ids,
        details={"rows": len(resident_ids)},
    )


@transaction.atomic
def book(*, slot_key: uuid.UUID, origin: str, change: str, channel: str, person: Actor) -> Booking:
    """Book a place for who was identified, or move one of the person's bookings to it: both or neither.

    A refusal leaves the transaction whole: the page goes on and says why.
    """
    resident_id = person.resident_ids[0]
    if change:
        return actions.move(booking_key=change, slot_key=slot_key, origin=origin, actor=person, channel=channel)
    made = actions.book_at_once(
        slot_key=slot_key,
        origin=origin,
        resident_id=resident_id,
        actor=person,
        request_key=uuid.uuid4(),
        wish=Wish(channel=channel),
    )
    rebooking_actions.settle(booking=made, actor=person)
    return made


@transaction.atomic
def book_for(*, slot_key: uuid.UUID, origin: str, resident_id: int, request_key: uuid.UUID, actor: Actor) -> Booking:
    """Book a place for a resident whom the actor's unit looks after, and send word of it; sent once more it finds its booking.

    The pause after three missed visits is not asked: it sends people to their doctor or the desk, who book here.
    """
    made = actions.book_at_once(
        slot_key=slot_key, origin=origin, resident_id=resident_id, actor=actor, request_key=request_key
    )
    rebooking_actions.settle(booking=made, actor=actor)
    tell_booked(made, actor=actor)
    return made


def tell_booked(booking: Booking, *, actor: Actor) -> None:
    """Send the person the time and the place, as the operator read them out."""
    telling.tell_booking(booking, "booking-made", actor=actor)


def tell_cancelled(booking: Booking, *, actor: Actor) -> None:
    """Send the person word that the booking was given back."""
    telling.tell_booking(booking, "booking-given-back", actor=actor)
