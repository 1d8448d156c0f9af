"""Who did not come today comes another day: a new day, or a new place of the clinic, is agreed with the resident."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import states
from doorstep.care.referrals.actions.details import details_of, give_place_back, place_text
from doorstep.care.referrals.models import Referral
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.actions import Wish
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow

# A day further away than this asks for a new referral: the findings are too old by then; this house's own.
LATEST_DAY = timedelta(days=30)


@transaction.atomic
def agree_day(
    *,
    referral: Referral,
    actor: Actor,
    reason: str = "",
    expected_at: datetime | None = None,
    slot_key: uuid.UUID | str | None = None,
) -> Referral:
    """The sender has asked the patient who did not come, and a new day is agreed: the patient is expected again.

    A place of the target's clinics (`slot_key`) is booked in the same act and says its time itself; the old place is given back. Raises
    Refused without a time, for one that is past or too far away, or for a place of another unit, and what holding raises.
    """
    workflow.check_way(referral, "agree_day", actor=actor)
    now = timezone.now()
    if not slot_key and not (expected_at and now < expected_at <= now + LATEST_DAY):
        sentence = _("请选择号源，或填写晚于现在、30 天之内的到院时间。")
        raise Refused(_("新的到院时间不对。"), fields={"expected_at": sentence})
    give_place_back(referral, actor=actor, reason=_("患者改约其他日期"))
    place: dict[str, Any] = {"booking": None, "appointment_text": ""}
    if slot_key:
        place, expected_at = _booked(referral, slot_key, actor=actor)
    expected = expected_at or now
    until = expected + states.ARRIVAL_GRACE
    # A bed that is kept still waits until the new day; one that fell free meanwhile is looked for anew.
    kept = referral.bed_key if beds.extend(reference=referral.subject, until=until) else None
    return workflow.apply(
        referral,
        "agree_day",
        actor=actor,
        reason=reason,
        values={**place, "expected_at": expected, "bed_key": kept, "transport": "", "departed_at": None},
        details=details_of(referral, expected_at=expected.isoformat(), place=place["appointment_text"]),
        due_at=until,
    )


def _booked(referral: Referral, slot_key: uuid.UUID | str, *, actor: Actor) -> tuple[dict[str, Any], datetime]:
    held = scheduling.hold(
        slot_key=slot_key,
        origin="referral",
        actor=actor,
        resident_id=referral.resident_id,
        wish=Wish(reference=referral.subject),
    )
    if held.slot.organization_id != referral.target_id:
        raise Refused(_("号源与转入机构不一致。"), fields={"slot": _("请选择转入机构的号源。")})
    booking = scheduling.book(
        hold_key=held.key, resident_id=referral.resident_id, actor=actor, reference=referral.subject
    )
    slot = held.slot
    place = {"booking": booking, "department_id": slot.department_id, "appointment_text": place_text(slot)}
    return place, slot.starts_at
