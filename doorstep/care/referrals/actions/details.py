"""What every event of a referral carries, and what ends with it: the target's sight and the booked place."""

from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals.models import Referral
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship

REFERRAL = CareRelationship.Reason.REFERRAL


def details_of(referral: Referral, **more: Any) -> dict[str, Any]:
    """The facts for handlers, which know nothing of our tables; `outcome` is empty before the discharge."""
    return {
        "origin": referral.origin,
        "origin_reference": referral.origin_reference,
        "number": referral.number,
        "patient": referral.patient_name,
        "kind": referral.kind,
        "critical": referral.critical,
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


def give_place_back(referral: Referral, *, actor: Actor, reason: str) -> None:
    """Cancel the booking of a referral that will not need it any more."""
    booking = referral.booking
    if booking is not None and booking.state == "booked":
        scheduling.cancel(booking_key=booking.key, actor=actor, reason=reason or _("转诊已结束"))
