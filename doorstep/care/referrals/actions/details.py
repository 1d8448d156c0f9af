"""What every event of a referral carries, and what ends with it: the target's sight, the booked place, the bed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from doorstep.care.referrals.models import Referral
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.coordination.beds.models import Ward
from doorstep.coordination.beds.permissions import Permission as Beds
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import keeping
from doorstep.coordination.scheduling import queries as places
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.database.calls import Call
from doorstep.kernel.database.savepoints import apart
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.workflow.actions import TransitionRefused

REFERRAL = CareRelationship.Reason.REFERRAL
RETURN = CareRelationship.Reason.RETURN


def details_of(referral: Referral, **more: Any) -> dict[str, Any]:
    """The facts for handlers, which know nothing of our tables; `outcome` is empty before the discharge."""
    return {
        "origin": referral.origin,
        "origin_reference": referral.origin_reference,
        "number": referral.number,
        "patient": referral.patient_name,
        "kind": referral.kind,
        "direction": referral.direction,
        "aim": referral.aim,
        "critical": referral.critical,
        "bed": referral.bed_requested or referral.aim == Referral.Aim.BED,
        "department": referral.department_id,
        "urgency": referral.urgency(),
        "source": referral.source_id,
        "target": referral.target_id,
        "receiver": referral.receiver_id,
        "referrer": referral.referrer_id,
        "attending": referral.attending_id,
        "outcome": referral.outcome,
        "outcome_en": referral.outcome_en,
        **more,
    }


def end_sight(referral: Referral, *, actor: Actor) -> None:
    """Close the present target's relationship of this referral."""
    access.close_relationship(resident_id=referral.resident_id, reason=REFERRAL, episode=referral.sight, actor=actor)


def sights_end_by(referral: Referral, until: datetime) -> list[Call]:
    """The calls by which target and receiver see the case no longer than until then."""
    return [
        access.closing_by(resident_id=referral.resident_id, reason=reason, episode=episode, until=until)
        for reason, episode in ((REFERRAL, referral.sight), (RETURN, referral.shown_under))
    ]


def place_kept(referral: Referral) -> Booking | None:
    """The booking of a referral while it still stands and as far as the actor may see it.

    A unit that takes the patient back from another hospital sees nothing of that one's clinic: there the place was used long ago.
    """
    if referral.booking_id is None:
        return None
    booking = places.booking_by_id(booking_id=referral.booking_id)
    return booking if booking is not None and booking.state == "booked" else None


def place_standing(referral: Referral, *, actor: Actor) -> Booking | None:
    """The booking of a referral while it still stands, also when another unit of the case made it: the township's doctor submits what the
    village drafted, and the village sees nothing of that booking."""
    found = place_kept(referral)
    if found is not None or referral.booking_id is None:
        return found
    with for_purpose(Purpose.HANDLER, actor):
        return place_kept(referral)


def free(booking: Booking, *, actor: Actor, reason: str) -> None:
    """Cancel the booking of a case that the actor may end; what another unit booked for it is cancelled by the house."""
    seen = actor.reaches(booking.organization_id) or actor.reaches(booking.source_organization_id)
    if seen or actor.is_system:
        scheduling.cancel(booking_key=booking.key, actor=actor, reason=reason)
        return
    with for_purpose(Purpose.HANDLER, actor):
        house = system_actor(Purpose.HANDLER, consortium_id=booking.consortium_id)
        scheduling.cancel(booking_key=booking.key, actor=house, reason=reason)


def give_place_back(referral: Referral, *, actor: Actor, reason: str) -> None:
    """Cancel the booking of a referral that will not need it any more."""
    booking = place_standing(referral, actor=actor)
    if booking is not None:
        free(booking, actor=actor, reason=reason or _("转诊已结束"))


def keep_place(referral: Referral, *, slot_key: UUID | str, stands: timedelta, actor: Actor) -> scheduling.Hold:
    """Keep a place of the target's own clinics for a referral; raises Refused for a place of another unit, and what holding raises."""
    held = keeping.keep(
        slot_key=slot_key,
        resident_id=referral.resident_id,
        reference=referral.subject,
        stands=stands,
        actor=actor,
    )
    if held.slot.organization_id != referral.target_id:
        raise Refused(_("号源与转入机构不一致。"), fields={"slot": _("请选择本院的号源。")})
    return held


def place_text(slot: SlotChoice) -> str:
    """A place in words, as the referral shows it."""
    return f"{slot.organization_name} {slot.department_name} {slot.practitioner_name} {slot.title}".strip()[:160]


@contextmanager
def once_per_target(refused: Callable[[], Refused]) -> Iterator[None]:
    """A savepoint in which a second open referral to one unit is told as this refusal: whoever acts may not see the first."""
    try:
        with apart():
            yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint == "referral_once_open_per_target":
            raise refused() from error
        raise


def give_bed_back(referral: Referral, *, actor: Actor, reason: str) -> None:
    """Give back the bed that was kept for a referral which will not need it."""
    if referral.bed_key is not None:
        beds.release(reference=referral.subject, actor=actor, reason=reason or _("转诊已结束"))


def leave_bed(referral: Referral, *, actor: Actor) -> None:
    """The bed in which a patient lay for this referral is left; whoever ends the case need not manage the beds.

    Who moved into a care home lives there on.
    """
    stay = bed_queries.stay_by_reference(reference=referral.subject)
    if stay is None or stay.left_at is not None or stay.bed.ward.kind == Ward.Kind.CARE:
        return
    if actor.is_system or (actor.reaches(stay.organization_id) and actor.may(Beds.BED_MANAGE)):
        beds.leave(stay=stay, actor=actor)
        return
    with for_purpose(Purpose.HANDLER, actor):
        beds.leave(stay=stay, actor=system_actor(Purpose.HANDLER, consortium_id=stay.consortium_id))


def stand_still(referral: Referral, *, actor: Actor) -> None:
    """Lock a referral for an act of its target; raises TransitionRefused, naming who was first, when it moved or was passed on."""
    workflow.check_unmoved(referral, actor=actor)
    past = actor.reaches(referral.redirected_from_id) or any(actor.reaches(one) for one in referral.tried)
    if past and not actor.reaches(referral.target_id):
        raise TransitionRefused(workflow.told_who_was_first(referral))
