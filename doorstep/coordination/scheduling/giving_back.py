"""Giving a booked place back: its booking ends, and whoever waits for it is asked first."""

from django.db import transaction
from django.utils import timezone

from doorstep.coordination.scheduling import claiming, offering
from doorstep.coordination.scheduling.drafting import facts_of
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.workflow import actions as workflow


def give_back(booking: Booking, verb: str, *, actor: Actor, reason: str) -> Booking:
    """Cancel a booking by one of its verbs and free its place in the same transaction."""
    with transaction.atomic():
        said = {"end_reason": reason.strip()[:200]}
        moved = workflow.apply(booking, verb, actor=actor, values=said, reason=reason, details=facts_of(booking))
        if claiming.free_place(place_id=booking.place_id):
            _offer_on(booking, actor)
        access.close_relationship(
            resident_id=booking.resident_id,
            reason=CareRelationship.Reason.REFERRAL,
            episode=booking.subject,
            actor=actor,
        )
    return moved


def _offer_on(booking: Booking, actor: Actor) -> None:
    """Offer the place that was just given back to the first in line, while nobody else can see it yet."""
    slot = booking.slot
    now = timezone.now()
    if slot.stopped_at is not None or slot.starts_at <= now:
        return
    with for_purpose(Purpose.HANDLER, actor):
        offering.offer_slot(
            slot_key=slot.key,
            department_id=slot.schedule.department_id,
            schedule_id=slot.schedule_id,
            starts_at=slot.starts_at,
            actor=system_actor(Purpose.HANDLER, consortium_id=booking.consortium_id),
            now=now,
        )


def cancelling_verb(booking: Booking, actor: Actor) -> str:
    """The verb by which this actor gives a booking back."""
    if actor.kind is ActorKind.RESIDENT:
        return "self-cancel"
    return "cancel" if actor.is_system or actor.reaches(booking.source_organization_id) else "call-off"
