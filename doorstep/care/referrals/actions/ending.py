"""How a referral ends before it has run its way: withdrawn, died, seen elsewhere, sent out of the network."""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import queries, states
from doorstep.care.referrals.actions.details import details_of, give_bed_back, give_place_back, sights_end_by
from doorstep.care.referrals.coding import code_for
from doorstep.care.referrals.models import Referral
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.coordination.scheduling import keeping
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.database.calls import run
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.residents import deaths
from doorstep.people.residents.permissions import Permission as Residents


@transaction.atomic
def withdraw(*, referral: Referral, reason: str, actor: Actor) -> Referral:
    """Take a referral back before the patient has arrived; the place is freed and the target's sight ends."""
    return _stop(referral, "withdraw", reason=reason, actor=actor)


@transaction.atomic
def record_death(
    *,
    referral: Referral,
    reason: str,
    actor: Actor,
    died_on: date | None = None,
    source: str = "family",
    certificate: str = "",
) -> Referral:
    """The patient died: whoever has the referral records it, and with it the death itself, which ends all else that is open.

    A unit that reads only a packet does not write into the record: the family doctor is told and registers the death.
    Raises Refused at the field of a wrong day or ground.
    """
    workflow.check_way(referral, "record_death", actor=actor)
    resident = referral.resident
    whole = queries.reads_whole(referral, actor=actor)
    if not actor.is_system and whole and resident.deceased_on is None:
        # The referral's own table says who may record the outcome; that person may then register the death.
        allowed = actor.with_permissions({*actor.permissions, Residents.DEATH_RECORD})
        moved = _stop(referral, "record_death", reason=reason, actor=actor, keep_sight=True)
        deaths.record_death(
            resident=resident,
            died_on=died_on or timezone.localdate(),
            source=source,
            certificate=certificate,
            note=f"{referral.number} {reason.strip()}",
            actor=allowed,
        )
        if moved.submitted_at is not None:
            run(sights_end_by(moved, timezone.now()))
        return moved
    return _stop(referral, "record_death", reason=reason, actor=actor)


@transaction.atomic
def go_elsewhere(*, referral: Referral, place: str, reason: str, actor: Actor) -> Referral:
    """End a referral because the patient was seen somewhere else; raises Refused without the place."""
    if not place.strip():
        raise Refused(_("请写明患者就诊的机构。"), fields={"place": _("请填写患者实际就诊的机构名称。")})
    return _stop(
        referral,
        "go_elsewhere",
        reason=reason.strip() or place.strip(),
        actor=actor,
        values={"elsewhere_name": place.strip()[:120]},
        more={"place": place.strip()},
    )


def close_elsewhere(*, arrived: Referral, place: str, actor: Actor) -> int:
    """The patient arrived by this referral: end the others for the same matter that still wait; returns how many ended."""
    others = Referral.objects.filter(resident_id=arrived.resident_id, state__in=states.BEFORE_ARRIVAL).exclude(
        pk=arrived.pk
    )
    same = [one for one in others if _same_matter(one, arrived)]
    for referral in same:
        go_elsewhere(
            referral=referral,
            place=place,
            reason=_("患者已在%(place)s报到（%(number)s）") % {"place": place, "number": arrived.number},
            actor=actor,
        )
    return len(same)


@transaction.atomic
def leave_network(*, referral: Referral, place: str, code: str, actor: Actor, impression: str = "") -> Referral:
    """Send a draft out of the network: counted as leakage with its destination and coded reason, and followed up.

    Of one that was returned the booked place is given back and the unit that returned it sees the case no more. Raises Refused without destination, reason or impression.
    """
    problems: dict[str, object] = {}
    if not place.strip():
        problems["outside_name"] = _("请填写转往的机构名称。")
    if code not in Referral.OutsideReason.values:
        problems["outside_reason"] = _("请选择转往医共体外的原因。")
    said = impression.strip() or referral.impression.strip()
    if not said:
        problems["impression"] = _("请填写初步印象。")
    if problems:
        raise Refused(_("外转登记还有 %(count)s 处未完成。") % {"count": len(problems)}, fields=problems)
    workflow.check_way(referral, "leave", actor=actor)
    if referral.hold_key is not None:
        keeping.give_back(hold_key=referral.hold_key, actor=actor)
    if referral.submitted_at is not None:
        give_place_back(referral, actor=actor, reason=_("患者转往医共体外"))
        run(sights_end_by(referral, timezone.now()))
    label = str(Referral.OutsideReason(code).label)
    return workflow.apply(
        referral,
        "leave",
        actor=actor,
        values={
            "direction": Referral.Direction.OUT,
            "outside_name": place.strip()[:120],
            "outside_reason": code,
            "impression": said[:200],
            "impression_code": _code_of(referral, said),
            "target_id": None,
            "department_id": None,
            "hold_key": None,
            "held_until": None,
            "appointment_text": "",
        },
        details={**details_of(referral), "target": None, "place": place.strip(), "code": code, "label": label},
    )


def _code_of(referral: Referral, said: str) -> str:
    code = referral.impression_code
    return code_for(impression=said, code=code, coded=referral.impression, known=code)


def report_outside(*, referral: Referral, result: str, actor: Actor) -> Referral:
    """Write down what came of a patient outside the network; raises Refused without words."""
    if not result.strip():
        raise Refused(_("请写明院外诊疗结果。"), fields={"result": _("请填写诊断、治疗和目前情况。")})
    outcome = f"{referral.outside_name}诊疗：{result.strip()}"
    return workflow.apply(
        referral,
        "report_outside",
        actor=actor,
        values={
            "outside_result": result.strip(),
            "outcome": outcome[:400],
            "outcome_en": f"Seen outside: {result.strip()}"[:600],
        },
        details={**details_of(referral), "outcome": outcome[:400]},
    )


def _stop(
    referral: Referral,
    verb: str,
    *,
    reason: str,
    actor: Actor,
    values: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
    keep_sight: bool = False,
) -> Referral:
    before, hold_key = referral.state, referral.hold_key
    moved = workflow.apply(
        referral,
        verb,
        actor=actor,
        reason=reason,
        values={**(values or {}), "hold_key": None, "held_until": None},
        details={**details_of(referral), **(more or {})},
    )
    was_draft = before in ("draft", "outside")
    if hold_key is not None:
        # A draft, one that was returned, or an offer: the place that was kept for it is free again, whichever side keeps it.
        keeping.give_back(hold_key=hold_key, actor=actor)
    give_place_back(moved, actor=actor, reason=reason)
    give_bed_back(moved, actor=actor, reason=reason)
    if verb == "record_death":
        _leave_bed(moved, actor=actor)
    if not was_draft and not keep_sight:
        run(sights_end_by(moved, timezone.now()))
    return moved


def _leave_bed(referral: Referral, *, actor: Actor) -> None:
    """The bed of a patient who died is cleaned next."""
    stay = bed_queries.stay_by_reference(reference=referral.subject)
    if stay is not None and stay.left_at is None and (actor.is_system or actor.reaches(stay.organization_id)):
        beds.leave(stay=stay, actor=actor)


def _same_matter(one: Referral, other: Referral) -> bool:
    """The same origin, or the same impression."""
    if one.origin and one.origin == other.origin:
        return True
    if one.impression_code and one.impression_code == other.impression_code:
        return True
    return bool(one.impression) and one.impression == other.impression
