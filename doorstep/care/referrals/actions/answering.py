"""The referral office's acts: accept, return, redirect, decline, check in; and the clock's: not arrived."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import queries, states, texts
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.details import (
    REFERRAL,
    details_of,
    end_sight,
    free,
    give_bed_back,
    give_place_back,
    keep_place,
    once_per_target,
    place_kept,
    place_text,
    stand_still,
)
from doorstep.care.referrals.arrival import usual_arrival
from doorstep.care.referrals.models import Referral
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import keeping
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations

# A place is kept from its choice to its booking in the same act.
_AT_ONCE = timedelta(minutes=1)


@transaction.atomic
def accept(
    *, referral: Referral, actor: Actor, instructions: str = "", expected_at: datetime | None = None
) -> Referral:
    """Accept: the place that was booked is confirmed, the patient is expected; without a place as `arrival.py` says.

    Raises TransitionRefused, which says who was first, when the sender withdrew meanwhile.
    """
    stand_still(referral, actor=actor)
    now = timezone.now()
    booked = expected_at or (referral.expected_at if referral.booking_id else None)
    expected = booked or usual_arrival(referral, now=now)
    if referral.kind == Referral.Kind.GREEN and expected_at is None:
        # The green channel brings the patient now; the expert's place may be later, and nobody waits for it to miss the patient.
        expected = min(expected, usual_arrival(referral, now=now))
    return workflow.apply(
        referral,
        "accept",
        actor=actor,
        values={
            "accepted_at": now,
            "expected_at": expected,
            "instructions": (instructions.strip() or texts.ARRIVE_WITH)[:400],
        },
        details=details_of(referral, expected_at=expected.isoformat(), place=referral.appointment_text),
        due_at=max(expected, now) + states.ARRIVAL_GRACE,
    )


@transaction.atomic
def accept_with_place(
    *, referral: Referral, slot_key: uuid.UUID | str, actor: Actor, instructions: str = ""
) -> Referral:
    """Accept and book a place of the own clinic for the patient, both or neither; an earlier place of the referral is given back.

    Raises NoPlaceLeft with the next free slot, Refused for a place of another unit.
    """
    stand_still(referral, actor=actor)
    workflow.check_way(referral, "accept", actor=actor)
    give_place_back(referral, actor=actor, reason=_("接收方改约到其他时间"))
    held = keep_place(referral, slot_key=slot_key, stands=_AT_ONCE, actor=actor)
    slot = held.slot
    booking = keeping.take(hold_key=held.key, resident_id=referral.resident_id, reference=referral.subject, actor=actor)
    place = {"booking_id": booking.pk, "department_id": slot.department_id, "appointment_text": place_text(slot)}
    for name, value in place.items():
        setattr(referral, name, value)
    Referral.objects.filter(pk=referral.pk).update(**place)
    return accept(referral=referral, actor=actor, instructions=instructions, expected_at=slot.starts_at)


@transaction.atomic
def return_for_information(*, referral: Referral, reason: str, actor: Actor, code: str = "other") -> Referral:
    """Ask the sender for what is missing, with a coded reason; the sender may submit again.

    Raises Refused for a code that does not exist.
    """
    if code not in Referral.ReturnReason.values:
        raise Refused(_("请选择退回原因。"), fields={"code": _("请从列表中选择退回原因。")})
    stand_still(referral, actor=actor)
    return workflow.apply(
        referral,
        "return",
        actor=actor,
        reason=reason,
        values={"return_code": code},
        details=details_of(referral, code=code),
    )


@transaction.atomic
def decline(*, referral: Referral, code: str, reason: str, alternative: str, actor: Actor) -> Referral:
    """Decline with a coded reason and an alternative; the place is freed and the unit's sight ends.

    Raises Refused when the code is unknown or no alternative is named.
    """
    problems: dict[str, object] = {}
    if code not in Referral.DeclineReason.values:
        problems["code"] = _("请选择不予接收的原因。")
    if not alternative.strip():
        problems["alternative"] = _("请写明可替代的去处或处理办法，转出方和患者会看到。")
    if problems:
        raise Refused(_("不予接收需要原因和替代方案。"), fields=problems)
    stand_still(referral, actor=actor)
    label = str(Referral.DeclineReason(code).label)
    moved = workflow.apply(
        referral,
        "decline",
        actor=actor,
        values={"decline_code": code, "alternative": alternative.strip()[:400]},
        reason=f"{label}：{reason.strip()}" if reason.strip() else label,
        details=details_of(referral, code=code, alternative=alternative.strip()),
    )
    give_place_back(moved, actor=actor, reason=label)
    give_bed_back(moved, actor=actor, reason=label)
    end_sight(moved, actor=actor)
    return moved


@transaction.atomic
def redirect(
    *, referral: Referral, reason: str, actor: Actor, department_id: int | None = None, target_id: int | None = None
) -> Referral:
    """Pass the referral on: to another department of the unit, or to another unit, which then has sight instead.

    The clock starts anew. The booked place of another department or unit is freed; the patient's consent covers it.
    """
    stand_still(referral, actor=actor)
    workflow.check_way(referral, "redirect", actor=actor)
    if target_id is None or target_id == referral.target_id:
        if department_id is None or department_id == referral.department_id:
            raise Refused(_("没有改派去处。"), fields={"department": _("请选择其他科室或其他机构。")})
        return _to_department(referral, department_id=department_id, reason=reason, actor=actor)
    if target_id == referral.source_id:
        raise Refused(_("不能改派回转出机构。"), fields={"target": _("如不接收，请使用“不予接收”。")})
    if queries.open_at_target(resident_id=referral.resident_id, target_id=target_id, besides=referral.pk):
        raise _open_there()
    return _to_unit(referral, target_id=target_id, department_id=department_id, reason=reason, actor=actor)


def _to_department(referral: Referral, *, department_id: int, reason: str, actor: Actor) -> Referral:
    booking = place_kept(referral)
    elsewhere = booking is not None and booking.slot.schedule.department_id != department_id
    # Whoever is sent to another department is not expected by the doctor of the first.
    unplaced: dict[str, Any] = {"booking": None, "appointment_text": "", "expected_at": None} if elsewhere else {}
    moved = workflow.apply(
        referral,
        "redirect",
        actor=actor,
        values={"department_id": department_id, "expert_id": None, "offer_text": "", **unplaced},
        reason=_towards(organizations.department_name(department_id=department_id), reason),
        details=details_of(referral, department=department_id),
    )
    if booking is not None and elsewhere:
        scheduling.cancel(booking_key=booking.key, actor=actor, reason=_("转诊改派到其他科室"))
    return moved


def _towards(name: str, reason: str) -> str:
    """The history says where to, besides why: the referral itself shows only where it is now."""
    return f"→ {name}：{reason.strip()}" if reason.strip() else ""


def _to_unit(referral: Referral, *, target_id: int, department_id: int | None, reason: str, actor: Actor) -> Referral:
    old_sight, old_target, booking = referral.sight, referral.target_id, place_kept(referral)
    packet.pass_sight_on(referral, organization_id=target_id, actor=actor)
    with once_per_target(_open_there), packet.handing_over(referral, actor=actor):
        moved = workflow.apply(
            referral,
            "redirect",
            actor=actor,
            values={
                "target_id": target_id,
                "department_id": department_id,
                "redirected_from_id": old_target,
                "redirects": referral.redirects + 1,
                "tried": [*referral.tried, old_target],
                "unanswered_at": None,
                "booking": None,
                "appointment_text": "",
                "offer_text": "",
                "expected_at": None,
            },
            reason=_towards(organizations.get(organization_id=target_id).name, reason),
            details={**details_of(referral), "target": target_id, "redirected_from": old_target},
        )
    if booking is not None:
        scheduling.cancel(booking_key=booking.key, actor=actor, reason=_("转诊改派到其他机构"))
    access.close_relationship(resident_id=referral.resident_id, reason=REFERRAL, episode=old_sight, actor=actor)
    return moved


def _open_there() -> Refused:
    """The patient waits at that unit already, by a referral that the one who redirects need not see."""
    return Refused(_("该居民在所选机构已有未结束的转诊。"), fields={"target": _("请选择其他机构。")})


def check_in_by_code(*, token: str, actor: Actor) -> Referral:
    """Check in whoever brings the QR code of the referral."""
    referral = queries.from_token(token=token, actor=actor)
    return check_in(referral=referral, method=Referral.Arrival.QR, actor=actor)


def check_in_by_number(*, number: str, actor: Actor) -> Referral:
    """Check in by the national id card."""
    referral = queries.expected_by_number(number=number, actor=actor)
    return check_in(referral=referral, method=Referral.Arrival.NATIONAL_ID, actor=actor)


@transaction.atomic
def check_in(*, referral: Referral, method: str, actor: Actor) -> Referral:
    """The patient is here; identity was checked by `method` (qr, national-id). An unanswered referral is accepted with it."""
    stand_still(referral, actor=actor)
    now = timezone.now()
    moved = workflow.apply(
        referral,
        "check_in",
        actor=actor,
        values={"arrived_at": now, "arrival_method": method, "accepted_at": referral.accepted_at or now},
        details=details_of(referral, method=method),
    )
    _use_place(moved, actor)
    return moved


def _use_place(referral: Referral, actor: Actor) -> None:
    """Check in at the clinic on the booked day; whoever is here before that day and is seen now needs the place no more."""
    booking = place_kept(referral)
    if booking is None:
        return
    match scheduling.check_in_is(booking):
        case "open":
            scheduling.arrive(booking_key=booking.key, actor=actor)
        case "early":
            free(booking, actor=actor, reason=_("转诊患者已提前到院"))


@transaction.atomic
def undo_check_in(*, referral: Referral, reason: str, actor: Actor) -> Referral:
    """Take back the check-in of the wrong patient; the right one is expected again."""
    now = timezone.now()
    return workflow.apply(
        referral,
        "undo_check_in",
        actor=actor,
        reason=reason,
        values={"arrived_at": None, "arrival_method": ""},
        details=details_of(referral),
        due_at=max(referral.expected_at or now, now) + states.ARRIVAL_GRACE,
    )


def expire_arrivals(*, actor: Actor, now: datetime | None = None) -> int:
    """Mark the patients who did not come within the grace time after they were expected; returns how many."""
    limit = (now or timezone.now()) - states.ARRIVAL_GRACE
    late = Referral.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state__in=("accepted", "on_the_way"), expected_at__lte=limit
    )
    expired = list(late.order_by("expected_at")[:200])
    for referral in expired:
        workflow.apply(referral, "expire", actor=actor, details=details_of(referral))
    return len(expired)
