"""Between request and arrival: a place or bed is offered, confirmed or refused; advice instead of a visit; silence is passed on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, queries, states, texts
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.details import (
    REFERRAL,
    details_of,
    end_sight,
    give_bed_back,
    give_place_back,
    keep_place,
    place_kept,
    place_standing,
    place_text,
    stand_still,
)
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.coordination.notices.actions import tell
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import keeping
from doorstep.coordination.scheduling.outcomes import Hold
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations

# How many a clock moves in one transaction.
_AT_ONCE = 20
# Who wrote a refusal down, where it was not the sender.
_TOLD_BY = {"refuse_self": "resident", "refuse_there": "target"}
# Nobody of the county is on the way for longer.
_LONGEST_WAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is offered: words for the resident, when, and the bed or the kept place of a clinic behind it (None by arrangement)."""

    text: str
    expected_at: datetime
    bed_key: Any = None
    hold: Hold | None = None


@transaction.atomic
def offer(*, referral: Referral, place: Place, actor: Actor, now: datetime | None = None) -> Referral:
    """Offer a place or a bed; it stands for a time by kind, within which the sender asks the resident.

    Raises Refused without words or for a time that has passed.
    """
    now = now or timezone.now()
    problems: dict[str, object] = {}
    if not place.text.strip():
        problems["text"] = _("请写明科室、医师或病区床位。")
    if place.expected_at <= now:
        problems["expected_at"] = _("到院时间应晚于现在。")
    if problems:
        raise Refused(_("安排还有 %(count)s 处需要更正。") % {"count": len(problems)}, fields=problems)
    until = min(now + states.OFFER_STANDS[referral.kind], place.expected_at)
    return workflow.apply(
        referral,
        "offer",
        actor=actor,
        values={
            "offer_text": place.text.strip()[:160],
            "offered_at": now,
            "offer_until": until,
            "expected_at": place.expected_at,
            "bed_key": place.bed_key,
            **(
                {
                    "hold_key": place.hold.key,
                    "held_until": place.hold.until,
                    "department_id": place.hold.slot.department_id,
                }
                if place.hold
                else {}
            ),
        },
        details=details_of(referral, place=place.text.strip(), until=until.isoformat()),
        due_at=until,
    )


@transaction.atomic
def offer_place(
    *,
    referral: Referral,
    text: str,
    bed_key: Any,
    expected_at: datetime | None,
    actor: Actor,
    slot_key: UUID | str | None = None,
) -> Referral:
    """Offer a bed of the board or a place of the own clinics, kept meanwhile, or a place in words.

    A clinic's place says its time itself. Raises Conflict when bed or place were just taken, Refused for both at once or for no time.
    """
    words = text.strip()
    if slot_key and bed_key:
        raise Refused(_("床位和号源只能选一项。"), fields={"slot": _("请只选床位或只选号源。")})
    stand_still(referral, actor=actor)
    workflow.check_way(referral, "offer", actor=actor)
    if slot_key:
        held = keep_place(referral, slot_key=slot_key, stands=states.OFFER_STANDS[referral.kind], actor=actor)
        kept = Place(text=words or place_text(held.slot), expected_at=held.slot.starts_at, hold=held)
        return offer(referral=referral, place=kept, actor=actor)
    if expected_at is None:
        raise Refused(_("请填写到院时间。"), fields={"expected_at": _("请填写到院时间，或选择本院号源。")})
    if bed_key:
        found = bed_queries.bed_of(key=bed_key, actor=actor)
        until = min(timezone.now() + states.OFFER_STANDS[referral.kind], expected_at)
        beds.hold(bed=found, reference=referral.subject, until=until, actor=actor)
        words = words or f"{found.ward.name} {found.number}"
    return offer(referral=referral, place=Place(text=words, expected_at=expected_at, bed_key=bed_key), actor=actor)


@transaction.atomic
def confirm(*, referral: Referral, actor: Actor, by_resident: bool = False) -> Referral:
    """The resident agrees, told to the sender, to the office by telephone, or from the own phone: the patient is expected."""
    now, verb = timezone.now(), _by_whom("confirm", referral, actor=actor, by_resident=by_resident)
    workflow.check_way(referral, verb, actor=actor)
    # What the sender had chosen stands until the other arrangement is agreed to.
    give_place_back(referral, actor=actor, reason=_("接收方改约到其他时间"))
    booked: dict[str, Any] = {"booking_id": None}
    if referral.hold_key is not None:
        booking = keeping.take(
            hold_key=referral.hold_key, resident_id=referral.resident_id, reference=referral.subject, actor=actor
        )
        booked = {"booking_id": booking.pk, "hold_key": None, "held_until": None}
    if referral.bed_key is not None:
        # The kept bed waits for the patient's arrival now.
        beds.extend(reference=referral.subject, until=(referral.expected_at or now) + states.ARRIVAL_GRACE)
    return workflow.apply(
        referral,
        verb,
        actor=actor,
        values={
            "accepted_at": now,
            "confirmed_at": now,
            "appointment_text": referral.offer_text,
            "instructions": referral.instructions or texts.ARRIVE_WITH,
            **booked,
        },
        details=details_of(referral, place=referral.offer_text),
        due_at=(referral.expected_at or now) + states.ARRIVAL_GRACE,
    )


@transaction.atomic
def refuse_offer(
    *, referral: Referral, reason: str, actor: Actor, code: str = "other", by_resident: bool = False
) -> Referral:
    """The resident does not want what is offered, told to the sender, to the office or from the own phone: the bed goes back, the target looks again.

    The referral keeps its channel and that channel's clock, which starts anew. Raises Refused for a code that does not exist, and for
    "other" without words.
    """
    if code not in Referral.OfferRefusal.values:
        raise Refused(_("请选择不接受的原因。"), fields={"code": _("请从列表中选择不接受的原因。")})
    words = reason.strip()
    if code == Referral.OfferRefusal.OTHER and not words:
        raise Refused(_("请填写原因。"), fields={"reason": _("选择“其他”时请写明原因，对方会看到。")})
    label = str(Referral.OfferRefusal(code).label)
    told = words if code == Referral.OfferRefusal.OTHER else f"{label}：{words}" if words else label
    verb = _by_whom("refuse", referral, actor=actor, by_resident=by_resident)
    return _unoffered(referral, verb, code=code, reason=told, actor=actor)


def _by_whom(answer: str, referral: Referral, *, actor: Actor, by_resident: bool) -> str:
    """The verb of a resident's answer ("confirm", "refuse") by whom it was told to."""
    if by_resident:
        return f"{answer}_self"
    sends = actor.reaches(referral.source_id) and actor.may(Permission.REFERRAL_SUBMIT)
    if not sends and actor.reaches(referral.target_id) and actor.may(Permission.REFERRAL_ACCEPT):
        return f"{answer}_there"
    return "confirm" if answer == "confirm" else "refuse_offer"


def expire_offers(*, actor: Actor, now: datetime | None = None) -> int:
    """Take back the offers that nobody confirmed in time; returns how many."""
    late = Referral.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state="offered", offer_until__lte=now or timezone.now()
    )
    found = list(late.order_by("offer_until")[:200])
    for referral in found:
        _unoffered(referral, "offer_expired", code="", reason="", actor=actor)
    return len(found)


@transaction.atomic
def advise(*, referral: Referral, advice: str, actor: Actor) -> Referral:
    """Answer by advice instead of a visit; the place is freed and the target's sight ends. Raises Refused without advice."""
    if len(advice.strip()) < 5:
        raise Refused(_("请写明答复建议。"), fields={"advice": _("请写明诊断考虑、处理办法和何时需要再转诊。")})
    moved = workflow.apply(
        referral,
        "advise",
        actor=actor,
        values={"advice": advice.strip(), "outcome": _("专科答复：") + advice.strip()[:380]},
        details=details_of(referral, advice=True),
    )
    give_place_back(moved, actor=actor, reason=_("专科已答复建议，不需到院"))
    end_sight(moved, actor=actor)
    return moved


def depart(
    *,
    referral: Referral,
    transport: str,
    actor: Actor,
    expected_at: datetime | None = None,
    escort: str = "",
    leaving: str = "",
) -> Referral:
    """The patient sets out, by own means, by ambulance or escorted (`escort`: by whom), in the condition `leaving`.

    `expected_at` is when the hospital may expect the patient, as agreed without one. Raises Refused for another way or a wrong time.
    """
    now, problems = timezone.now(), {}
    if transport not in Referral.Transport.values:
        problems["transport"] = _("请选择自行前往、救护车或医护护送。")
    if expected_at is not None and not now < expected_at <= now + _LONGEST_WAY:
        problems["expected_at"] = _("预计到院时间应晚于现在，且在 24 小时之内。")
    if problems:
        raise Refused(_("出发登记还有 %(count)s 处需要更正。") % {"count": len(problems)}, fields=problems)
    expected = expected_at or referral.expected_at or now
    return workflow.apply(
        referral,
        "depart",
        actor=actor,
        values={
            "transport": transport,
            "departed_at": now,
            "expected_at": expected,
            "escort": escort.strip()[:80],
            "leaving": leaving.strip()[:400],
        },
        details=details_of(referral, transport=transport),
        due_at=max(expected, now) + states.ARRIVAL_GRACE,
    )


def pass_on_silent(*, actor: Actor, now: datetime | None = None) -> int:
    """Give the referrals that a silent target let run out to the next unit; returns how many were passed on or given up.

    Next is the resident's own next hospital, then the lead hospital. Where there is none, sender and lead are told once.
    """
    now = now or timezone.now()
    moved = 0
    urgent = Q(kind=Referral.Kind.URGENT, state_since__lte=now - states.URGENT_SILENT_AFTER)
    for state, limit in states.SILENT_AFTER.items():
        late = Referral.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            urgent | Q(state_since__lte=now - limit), state=state, unanswered_at__isnull=True
        )
        # Few at a time: an office that answers one of them just now waits for this transaction.
        for referral in late.order_by("state_since")[:_AT_ONCE]:
            _pass_on(referral, actor=actor, now=now)
            moved += 1
    return moved


def time_out_receivers(*, actor: Actor, now: datetime | None = None) -> int:
    """Give the patients that a silent receiver did not take back to the hospital; returns how many."""
    limit = (now or timezone.now()) - states.SILENT_RECEIVER
    late = Referral.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state="handed_back", state_since__lte=limit
    )
    found = list(late.order_by("state_since")[:_AT_ONCE])
    for referral in found:
        workflow.apply(referral, "time_out_back", actor=actor, details=details_of(referral))
        access.close_relationship(
            resident_id=referral.resident_id, reason=queries.RETURN, episode=referral.shown_under, actor=actor
        )
    return len(found)


def _unoffered(referral: Referral, verb: str, *, code: str, reason: str, actor: Actor) -> Referral:
    # Back on the green channel, its state has a clock of its own; an urgent referral is an ordinary one with a shorter clock.
    due_at = timezone.now() + states.URGENT_ANSWER if referral.kind == Referral.Kind.URGENT else None
    workflow.check_way(referral, verb, actor=actor)
    give_bed_back(referral, actor=actor, reason=reason)
    if referral.hold_key is not None:
        keeping.give_back(hold_key=referral.hold_key, actor=actor)
    facts = details_of(referral, place=referral.offer_text, code=code, by=_writer(referral, verb, actor=actor))
    # What the sender had booked stood all the while and is where the patient is expected again.
    stands = place_standing(referral, actor=actor)
    return workflow.apply(
        referral,
        verb,
        actor=actor,
        reason=reason,
        values={
            "offer_text": "",
            "offer_until": None,
            "expected_at": stands.slot.starts_at if stands else None,
            "bed_key": None,
            "hold_key": None,
            "held_until": None,
            "offer_refusal": code,
        },
        details=facts,
        due_at=due_at,
    )


def _writer(referral: Referral, verb: str, *, actor: Actor) -> str:
    """Who wrote a refusal down; "" for the sender, who then need not be told: a unit above the sender is not the sender."""
    above = verb == "refuse_offer" and actor.organization_id != referral.source_id
    return "above" if above else _TOLD_BY.get(verb, "")


def _pass_on(referral: Referral, *, actor: Actor, now: datetime) -> None:
    following = _next_target(referral)
    if following is None:
        # Noted in the same row, so that the clocks do not come by again and again; the task stays with the line of escalation.
        Referral.objects.filter(pk=referral.pk).update(unanswered_at=now)
        lead = organizations.lead_of(organization_id=referral.source_id, day=timezone.localdate())
        for unit in dict.fromkeys(one for one in (referral.source_id, lead) if one):
            about, link = referral.resident_id, referral.subject
            tell(kind="referral-unanswered", organization_id=unit, about=about, link=link, urgent=True)
        return
    old_sight, old_target, booking = referral.sight, referral.target_id, place_kept(referral)
    packet.pass_sight_on(referral, organization_id=following, actor=actor)
    workflow.apply(
        referral,
        "pass_on",
        actor=actor,
        values={
            "target_id": following,
            "department_id": None,
            "redirected_from_id": old_target,
            "redirects": referral.redirects + 1,
            "tried": [*referral.tried, old_target],
            "booking": None,
            "appointment_text": "",
            "offer_text": "",
            "expected_at": None,
        },
        # Where to: the referral itself shows only where it is now.
        reason=f"→ {organizations.get(organization_id=following).name}",
        details={**details_of(referral), "target": following, "redirected_from": old_target},
    )
    if booking is not None:
        scheduling.cancel(booking_key=booking.key, actor=actor, reason=_("转诊逾时未答复，已转交其他机构"))
    access.close_relationship(resident_id=referral.resident_id, reason=REFERRAL, episode=old_sight, actor=actor)


def _next_target(referral: Referral) -> int | None:
    day = timezone.localdate()
    signed = benefits.signed_targets(resident_id=referral.resident_id, day=day)
    lead = organizations.lead_of(organization_id=referral.source_id, day=day)
    past = {referral.source_id, referral.target_id, *referral.tried}
    for one in [*signed, *([lead] if lead else [])]:
        busy = queries.open_at_target(resident_id=referral.resident_id, target_id=one, besides=referral.pk)
        if one not in past and busy is None:
            return one
    return None
