"""The sender's first acts: a draft from the record, its form, a place that is held, a second request that grows from an earlier one."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, contact, expecting, rules
from doorstep.care.referrals.actions.details import details_of, place_text
from doorstep.care.referrals.criteria import HOME, Fact, judge
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.record_facts import REPORT_HOLDS, Known, holds, known_of, up_facts
from doorstep.care.referrals.selection import is_preselected
from doorstep.care.referrals.states import BEFORE_ARRIVAL, MAY_BE_ASKED_AGAIN
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.actions import Hold
from doorstep.coordination.visits.complaints import is_pressing, symptoms_in
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.workforce import queries as workforce

# How long a unit that declined is not proposed again.
_OF_LATE = timedelta(days=30)
_REVISABLE = frozenset(
    {
        "direction",
        "aim",
        "kind",
        "green_center",
        "critical",
        "target_id",
        "department_id",
        "expert_id",
        "reviewer_id",
        "referrer_phone",
        *contact.FIELDS,
        "impression_code",
        "impression",
        "present_illness",
        "history",
        "treatment",
        "symptoms",
        "pregnancy",
        "last_period_on",
        "delivered_on",
        "packet",
        "whole_record",
        "bed_requested",
    }
)


@transaction.atomic
def draft_from_record(
    *, resident: Resident, actor: Actor, origin_reference: str = "", origin_subject: str = ""
) -> Referral:
    """Begin a referral with everything the record knows; a second click on the same origin returns the same draft.

    `origin_reference` is the report it grew from ("DiagnosticReport/<key>"), `origin_subject` the thing behind it
    ("ecg-order/<key>"). Raises NotFound when the actor does not see the resident.
    """
    # Whoever is handed somebody whom no page would give them finds nobody: the wall's refusal of a row is the same answer.
    with access.refused_as_not_found():
        return _draft(resident, actor=actor, origin_reference=origin_reference, origin_subject=origin_subject)


def _draft(resident: Resident, *, actor: Actor, origin_reference: str, origin_subject: str) -> Referral:
    actor.check(Permission.REFERRAL_SUBMIT)
    if actor.practitioner_id is None or actor.organization_id is None:
        raise NotFound()
    residents.check_living(resident_id=resident.pk)
    if origin_subject:
        earlier = Referral.objects.filter(
            origin=origin_subject, source_id=actor.organization_id, state__in=("draft", "returned")
        ).first()
        if earlier is not None:
            return earlier
    known = known_of(resident_id=resident.id, origin_reference=origin_reference, actor=actor)
    day = timezone.localdate()
    signed = benefits.signed_targets(resident_id=resident.id, day=day)
    critical = bool(known.report_critical) and holds(known.report_on, REPORT_HOLDS, day=day)
    # None while nothing is known of symptoms: unknown is not absent.
    symptoms = symptoms_in(known.complaint) or None
    facts = up_facts(
        known,
        birth_date=resident.birth_date,
        symptoms=symptoms,
        critical=critical,
        day=day,
        gender=resident.gender,
    )
    judged = judge(rules.UP_CRITERIA, facts)
    referral = Referral(
        resident=resident,
        resident_key=resident.key,
        patient_name=resident.name,
        patient_gender=resident.gender,
        patient_birth_date=resident.birth_date,
        **contact.of_register(resident),
        kind=rules.kind_for(judged, signed=bool(signed)),
        green_center=rules.center_for(judged),
        critical=critical,
        aim=Referral.Aim.BED if critical else Referral.Aim.DEPARTMENT,
        referrer_phone=organizations.get(organization_id=actor.organization_id).phone[:30],
        source_id=actor.organization_id,
        target_id=_default_target(signed, organization_id=actor.organization_id),
        referrer_id=actor.practitioner_id,
        reviewer_id=_default_reviewer(actor),
        origin=origin_subject[:80],
        origin_reference=origin_reference[:120],
        bed_requested=critical,
        symptoms=symptoms,
        **expecting.known_values(known.pregnancies, day=day),
        **_prefilled(known, origin_reference),
    )
    return workflow.begin(referral, "draft", actor=actor, details=details_of(referral))


def revise(*, referral: Referral, actor: Actor, values: Mapping[str, Any]) -> Referral:
    """Change what the form of a draft or a returned referral says; raises Conflict when it was sent meanwhile."""
    actor.check(Permission.REFERRAL_SUBMIT)
    changed = Referral.objects.filter(
        pk=referral.pk, state__in=("draft", "returned"), source_id__in=actor.reach
    ).update(**revision_of(values))
    if not changed:
        raise Conflict(_("转诊单已提交或已撤回，不能再修改。请刷新后查看。"))
    for name, value in values.items():
        setattr(referral, name, value)
    run([revising(referral, values, actor=actor)])
    return referral


def revision_of(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a form may change; raises LookupError for anything else."""
    unknown = set(values) - _REVISABLE
    if unknown:
        raise LookupError(f"not a field of the form: {sorted(unknown)}")
    return values


def revising(referral: Referral, values: Mapping[str, Any], *, actor: Actor) -> Call:
    """The call that notes a revision, for an act that sends it with its traces."""
    return audit.recording(
        action="referral.revise",
        actor=actor,
        subject=referral.subject,
        resident_id=referral.resident_id,
        details={"fields": sorted(values)},
    )


@transaction.atomic
def hold_slot(*, referral: Referral, slot_key: uuid.UUID | str, actor: Actor, origin: str = "referral") -> Hold:
    """Keep a place for this draft for ten minutes; an earlier hold of the draft is given back.

    Raises NoPlaceLeft with the next free slot when another was first.
    """
    if referral.state not in ("draft", "returned"):
        raise Conflict(_("转诊单已提交，不能再选号。"))
    held = scheduling.hold(
        slot_key=slot_key,
        origin=origin,
        actor=actor,
        resident_id=referral.resident_id,
        wish=scheduling.Wish(reference=referral.subject),
    )
    if referral.hold_key is not None:
        scheduling.release(hold_key=referral.hold_key, actor=actor)
    slot = held.slot
    values = {
        "hold_key": held.key,
        "held_until": held.until,
        "expected_at": slot.starts_at,
        "target_id": slot.organization_id,
        "department_id": slot.department_id,
        "appointment_text": place_text(slot),
    }
    Referral.objects.filter(pk=referral.pk).update(**values)
    for name, value in values.items():
        setattr(referral, name, value)
    return held


@transaction.atomic
def draft_again(*, referral: Referral, actor: Actor) -> Referral:
    """Begin a second request from an earlier one: after a decline, or to another unit while the first still waits.

    Everything of the form is kept but the target, which the doctor chooses anew; the earlier referral is named in `previous`.
    Raises Conflict for one that has arrived or run its way, and for a draft.
    """
    actor.check(Permission.REFERRAL_SUBMIT)
    if not actor.reaches(referral.source_id) or actor.practitioner_id is None:
        raise NotFound()
    if referral.state not in MAY_BE_ASKED_AGAIN:
        raise Conflict(_("这份转诊已到院或已办结，请重新发起转诊。"))
    residents.check_living(resident_id=referral.resident_id)
    earlier = Referral.objects.filter(previous=referral, state="draft").first()
    if earlier is not None:
        return earlier
    copied = (
        "resident_id", "resident_key", "patient_name", "patient_gender", "patient_birth_date", *contact.FIELDS, "direction", "aim", "kind",
        "green_center", "critical", "source_id", "referrer_phone", "impression_code", "impression", "present_illness", "history",
        "treatment", "symptoms", "pregnancy", "last_period_on", "delivered_on", "origin", "origin_reference", "packet", "whole_record", "reviewer_id", "bed_requested",
    )  # fmt: skip
    day = timezone.localdate()
    # Neither the units of this request nor those that the patient waits for, or that declined, by another one of late.
    lately = Q(state__in=BEFORE_ARRIVAL) | Q(state="declined", state_since__gte=timezone.now() - _OF_LATE)
    asked = Referral.objects.filter(lately, resident_id=referral.resident_id).values_list("target_id", flat=True)
    past = {referral.target_id, *referral.tried, *asked}
    signed = benefits.signed_targets(resident_id=referral.resident_id, day=day)
    others = [one for one in signed if one not in past]
    draft = Referral(
        **{name: getattr(referral, name) for name in copied},
        referrer_id=actor.practitioner_id,
        target_id=others[0] if others else None,
        previous=referral,
    )
    return workflow.begin(draft, "draft", actor=actor, details=details_of(draft))


def _default_target(signed: list[int], *, organization_id: int) -> int | None:
    if signed:
        return signed[0]
    return organizations.lead_of(organization_id=organization_id, day=timezone.localdate())


def _default_reviewer(actor: Actor) -> int | None:
    team = workforce.team_of_village(organization_id=actor.organization_id) if actor.organization_id else None
    return team.leader_id if team else actor.practitioner_id


def _prefilled(known: Known, origin_reference: str) -> dict[str, Any]:
    parts = [f"{known.complaint.rstrip('。')}。" if known.complaint else ""]
    parts += [f"{known.report_title or _('检查报告')}：{known.report_text}。" if known.report_text else ""]
    measured = _measured(known)
    parts += [f"{'，'.join(measured)}。"] if measured else []
    # An old problem of the list is not what somebody with chest pain is sent for: there the doctor says it.
    first = known.active[0] if known.active and not is_pressing(known.complaint) else ("", "")
    impression = (known.report_text or first[1])[:200]
    code = "" if known.report_text else first[0][:16]
    return {
        "impression": impression,
        "impression_code": code,
        "present_illness": "".join(parts),
        "history": "、".join(name for _code, name in known.conditions if name)
        + (f"；过敏：{'、'.join(known.allergies)}" if known.allergies else ""),
        "treatment": ("长期用药：" + "、".join(known.medicines)) if known.medicines else "",
        "packet": _preselected(known, origin_reference, impression=impression, code=code),
        # What was ticked, and no more, unless the sender or the emergency says otherwise (`packet.is_whole`).
        "whole_record": False,
    }


def _measured(known: Known) -> list[str]:
    """Pressure and pulse; what is not of today with its day, for nobody reads last month's pressure as this hour's."""
    systolic, diastolic, pulse = (known.measured.get(name) for name in ("systolic", "diastolic", "pulse"))
    said = []
    if systolic is not None and diastolic is not None:
        said.append(f"{_at_home(systolic)}血压 {systolic.value}/{diastolic.value} mmHg{_unless_today(systolic.on)}")
    if pulse is not None:
        said.append(f"脉搏 {pulse.value} 次/分{_unless_today(pulse.on)}")
    return said


def _at_home(fact: Fact) -> str:
    return "家庭自测" if fact.how == HOME else ""


def _unless_today(day: date | None) -> str:
    return "" if day is None or day == timezone.localdate() else f"（{day:%Y-%m-%d}）"


def _preselected(known: Known, origin_reference: str, *, impression: str, code: str) -> list[dict[str, Any]]:
    """The report that it grew from, and what belongs to the matter."""
    day = timezone.localdate()
    return [
        line
        for line in known.packet
        if line["reference"] == origin_reference
        or is_preselected(
            line,
            on=timezone.localdate(datetime.fromisoformat(line["at"])),
            day=day,
            impression=impression,
            code=code,
        )
    ]
