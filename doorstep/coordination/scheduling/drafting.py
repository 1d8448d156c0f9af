"""A booking as it is before it is written: what follows from the slot, the actor and the wish."""

import uuid

from django.utils import timezone

from doorstep.coordination.scheduling.halfdays import half_day_of
from doorstep.coordination.scheduling.models import Booking, Channel, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.kernel.access.actor import Actor, ActorKind


def draft(
    slot: Slot,
    *,
    key: uuid.UUID,
    request: uuid.UUID,
    resident_key: uuid.UUID,
    home: int | None,
    actor: Actor,
    wish: Wish,
) -> Booking:
    """The booking without its place, its quota and its resident's number. `home` is the unit of a resident who books alone."""
    own = actor.kind is ActorKind.RESIDENT
    return Booking(
        key=key,
        slot=slot,
        resident_key=resident_key,
        organization_id=slot.organization_id,
        source_organization_id=wish.source_id or (home if own else actor.organization_id) or slot.organization_id,
        consortium_id=actor.consortium_id or slot.consortium_id,
        period=(slot.starts_at, slot.ends_at),
        reference=wish.reference[:80],
        hold_key=request,
        booked_by_id=actor.user_id,
        channel=channel_of(actor, slot.organization_id, wish.channel or ("referral" if wish.reference else "")),
        wanted_since=wish.wanted_since or timezone.now(),
        changed_from=wish.changed_from,
        replaces_key=wish.changed_from.key if wish.changed_from else None,
        extra_reason=wish.extra_reason[:200],
        half_day="" if wish.again else half_day_of(slot),
    )


def channel_of(actor: Actor, organization_id: int, given: str) -> str:
    """The channel that was named, or what the actor's side says."""
    if given:
        return Channel(given).value
    if actor.kind is ActorKind.RESIDENT:
        return Channel.SELF.value
    if actor.kind is ActorKind.CLIENT:
        return Channel.SYSTEM.value
    return Channel.DESK.value if actor.organization_id == organization_id else Channel.DOCTOR.value


def facts_of(booking: Booking) -> dict[str, object]:
    """What handlers need: they know nothing of our tables."""
    return {
        "reference": booking.reference,
        "slot_id": booking.slot_id,
        "organization_id": booking.organization_id,
        "source_organization_id": booking.source_organization_id,
        "quota": booking.quota,
        "channel": booking.channel,
    }
