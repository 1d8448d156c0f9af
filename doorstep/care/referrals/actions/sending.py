"""The sender's acts: draft, revise, hold a place, submit; a second request that grows from an earlier one."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, queries, rules, states, texts
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.details import details_of
from doorstep.care.referrals.criteria import Judgement, as_rows, judge
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.record_facts import Known, known_of, up_facts
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.actions import Hold
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.files import actions as files
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.workforce import queries as workforce

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
        "impression_code",
        "impression",
        "present_illness",
        "history",
        "treatment",
        "symptoms",
        "packet",
        "whole_record",
        "bed_requested",
    }
)
_SIGNATURE_LIMIT = 200_000
# What needs a place of a clinic or a bed that is asked for; everything else is arranged by the receiving unit.
_BY_SLOT = ("department", "expert", "bed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agreed, related how, to which version of the text.

    `signature` is a PNG data URL or "", `paper` the signed paper as it was photographed or scanned, with its name and type.
    """

    signer: str
    relation: str
    version: str = texts.CONSENT_VERSION
    signature: str = ""
    paper: bytes = b""
    paper_name: str = ""
    paper_type: str = ""


@transaction.atomic
def draft_from_record(
    *, resident: Resident, actor: Actor, origin_reference: str = "", origin_subject: str = ""
) -> Referral:
    """Begin a referral with everything the record knows; a second click on the same origin returns the same draft.

    `origin_reference` is the report it grew from ("DiagnosticReport/<key>"), `origin_subject` the thing behind it
    ("ecg-order/<key>"). Raises NotFound when the actor does not see the resident.
    """
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
    critical = bool(known.report_critical)
    facts = up_facts(known, birth_date=resident.birth_date, symptoms=None, critical=critical, day=day)
    judged = judge(rules.UP_CRITERIA, facts)
    referral = Referral(
        resident=resident,
        resident_key=resident.key,
        patient_name=resident.name,
        patient_gender=resident.gender,
        patient_birth_date=resident.birth_date,
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
        **_prefilled(known, origin_reference),
    )
    return workflow.begin(referral, "draft", actor=actor, details=details_of(referral))


def revise(*, referral: Referral, actor: Actor, values: Mapping[str, Any]) -> Referral:
    """Change what the form of a draft or a returned referral says; raises Conflict when it was sent meanwhile."""
    actor.check(Permission.REFERRAL_SUBMIT)
    unknown = set(values) - _REVISABLE
    if unknown:
        raise LookupError(f"not a field of the form: {sorted(unknown)}")
    changed = Referral.objects.filter(
        pk=referral.pk, state__in=("draft", "returned"), source_id__in=actor.reach
    ).update(**values)
    if not changed:
        raise Conflict(_("转诊单已提交或已撤回，不能再修改。请刷新后查看。"))
    for name, value in values.items():
        setattr(referral, name, value)
    audit.record(
        action="referral.revise",
        actor=actor,
        subject=referral.subject,
        resident_id=referral.resident_id,
        details={"fields": sorted(values)},
    )
    return referral


@transaction.atomic
def hold_slot(*, referral: Referral, slot_key: uuid.UUID | str, actor: Actor, origin: str = "referral") -> Hold:
    """Keep a place for this draft for ten minutes; an earlier hold of the draft is given back.

    Raises NoPlaceLeft with the next free slot when another was first.
    """
    if referral.state not in ("draft", "returned"):
        raise Conflict(_("转诊单已提交，不能再选号。"))
    held = scheduling.hold(slot_key=slot_key, origin=origin, actor=actor, resident_id=referral.resident_id)
    if referral.hold_key is not None:
        scheduling.release(hold_key=referral.hold_key, actor=actor)
    slot = held.slot
    text = f"{slot.organization_name} {slot.department_name} {slot.practitioner_name} {slot.title}".strip()
    values = {
        "hold_key": held.key,
        "held_until": held.until,
        "expected_at": slot.starts_at,
        "target_id": slot.organization_id,
        "department_id": slot.department_id,
        "appointment_text": text[:160],
    }
    Referral.objects.filter(pk=referral.pk).update(**values)
    for name, value in values.items():
        setattr(referral, name, value)
    return held


@transaction.atomic
def submit(*, referral: Referral, consent: Consent, actor: Actor) -> Referral:
    """Send a draft, or a returned referral, with the patient's consent: the target sees it from now on.

    Books the held place, opens the target's relationship for this referral (the whole record, or the packet chosen) and decides
    the benefits.
    Raises Refused with the fields that are missing, Conflict when the resident has an open referral to that unit, or
    when the hold has run out.
    """
    now = timezone.now()
    _check_complete(referral, consent, now)
    _check_not_open_there(referral)
    target_id = referral.target_id
    if target_id is None or referral.source_id == target_id:
        raise Refused(_("转入机构不能是本单位。"), fields={"target": _("请选择另一家机构。")})
    referral.criteria = as_rows(judge_up(referral, actor=actor))
    booking = None
    if referral.hold_key is not None:
        booking = scheduling.book(
            hold_key=referral.hold_key, resident_id=referral.resident_id, actor=actor, reference=referral.subject
        )
    referral.whole_record = packet.is_whole(referral)
    packet.open_sight(referral, organization_id=target_id, episode=referral.sight, actor=actor)
    if not referral.whole_record:
        packet.send_packet(referral, actor=actor)
    values: dict[str, Any] = {
        **consent_values(referral, consent, actor=actor, now=now),
        "submitted_at": now,
        "whole_record": referral.whole_record,
        "criteria": referral.criteria,
        "benefits": benefits.as_rows(_decisions(referral, actor=actor, now=now)),
        "return_code": "",
        "hold_key": None,
        "held_until": None,
        **({"booking": booking} if booking else {}),
    }
    return _send(referral, values, actor=actor, now=now)


def judge_up(referral: Referral, *, actor: Actor) -> list[Judgement]:
    """The up-referral criteria on what the record and the form say now."""
    known = known_of(resident_id=referral.resident_id, origin_reference=referral.origin_reference, actor=actor)
    facts = up_facts(
        known,
        birth_date=referral.patient_birth_date,
        symptoms=referral.symptoms,
        critical=referral.critical,
        day=timezone.localdate(),
    )
    return judge(rules.UP_CRITERIA, facts)


@transaction.atomic
def draft_again(*, referral: Referral, actor: Actor) -> Referral:
    """Begin a second request from an earlier one: after a decline, or to another unit while the first still waits.

    Everything of the form is kept but the target, which the doctor chooses anew; the earlier referral is named in `previous`.
    """
    actor.check(Permission.REFERRAL_SUBMIT)
    if not actor.reaches(referral.source_id) or actor.practitioner_id is None:
        raise NotFound()
    earlier = Referral.objects.filter(previous=referral, state="draft").first()
    if earlier is not None:
        return earlier
    copied = (
        "resident_id", "resident_key", "patient_name", "patient_gender", "patient_birth_date", "direction", "aim", "kind",
        "green_center", "critical", "source_id", "referrer_phone", "impression_code", "impression", "present_illness", "history",
        "treatment", "symptoms", "origin", "origin_reference", "packet", "whole_record", "reviewer_id", "bed_requested",
    )  # fmt: skip
    day = timezone.localdate()
    others = [
        one
        for one in benefits.signed_targets(resident_id=referral.resident_id, day=day)
        if one not in (referral.target_id, *referral.tried)
    ]
    draft = Referral(
        **{name: getattr(referral, name) for name in copied},
        referrer_id=actor.practitioner_id,
        target_id=others[0] if others else None,
        previous=referral,
    )
    return workflow.begin(draft, "draft", actor=actor, details=details_of(draft))


def consent_values(referral: Referral, consent: Consent, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The columns of a consent; the signed paper is kept as a file of the referral. Raises Refused for what is no picture or PDF."""
    paper = None
    if consent.paper:
        if not consent.paper.startswith((b"\x89PNG", b"\xff\xd8\xff", b"%PDF")):
            raise Refused(_("知情同意书文件无法识别。"), fields={"consent_paper": _("请上传照片（JPG、PNG）或 PDF。")})
        paper = files.store(
            data=consent.paper,
            name=consent.paper_name or "consent",
            media_type=consent.paper_type or "application/octet-stream",
            resident_id=referral.resident_id,
            organization_id=referral.source_id,
            episode=referral.subject,
            category="consent",
            actor=actor,
        ).key
    return {
        "consent_signer": consent.signer.strip()[:60],
        "consent_relation": consent.relation,
        "consent_signed_at": now,
        "consent_version": consent.version,
        "consent_signature": consent.signature[:_SIGNATURE_LIMIT],
        **({"consent_paper": paper} if paper else {}),
    }


def _decisions(referral: Referral, *, actor: Actor, now: datetime) -> list[benefits.Decision]:
    question = benefits.Question(
        resident_id=referral.resident_id,
        target_id=referral.target_id,
        kind=referral.kind,
        critical=referral.critical,
        day=timezone.localdate(now),
    )
    return benefits.benefits_of(question, actor=actor)


def _send(referral: Referral, values: dict[str, Any], *, actor: Actor, now: datetime) -> Referral:
    verb = "submit_green" if referral.kind == Referral.Kind.GREEN else "submit"
    due_at = now + states.URGENT_ANSWER if referral.kind == Referral.Kind.URGENT else None
    try:
        with transaction.atomic():
            return workflow.apply(
                referral, verb, actor=actor, values=values, details=details_of(referral), due_at=due_at
            )
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint == "referral_once_open_per_target":
            raise Conflict(
                _("该居民转往这家机构的另一份转诊尚未结束，不能重复提交。请与该机构转诊中心联系，或改转其他机构。")
            ) from error
        raise


def _check_complete(referral: Referral, consent: Consent, now: datetime) -> None:
    missing: dict[str, object] = {}
    if referral.target_id is None:
        missing["target"] = _("请选择转入机构。")
    if referral.reviewer_id is None:
        missing["reviewer"] = _("请指定转诊审核医师。")
    if not referral.impression.strip():
        missing["impression"] = _("请填写初步印象。")
    if not referral.present_illness.strip():
        missing["present_illness"] = _("请填写主要现病史（转出原因）。")
    if referral.booking_id is None and not referral.bed_requested and referral.aim in _BY_SLOT:
        if referral.hold_key is None:
            missing["slot"] = _("请选择专家号，或勾选申请床位。")
        elif referral.held_until is not None and referral.held_until <= now:
            missing["slot"] = _("号源预留已超过 10 分钟，号已放回。请重新选择。")
    if not consent.signer.strip():
        missing["consent_signer"] = _("请填写知情同意签署人。")
    if consent.relation not in texts.RELATIONS:
        missing["consent_relation"] = _("请选择签署人与患者的关系。")
    if missing:
        raise Refused(_("转诊单还有 %(count)s 处未完成。") % {"count": len(missing)}, fields=missing)


def _check_not_open_there(referral: Referral) -> None:
    if referral.target_id is None:
        return
    other = queries.open_at_target(resident_id=referral.resident_id, target_id=referral.target_id, besides=referral.pk)
    if other is not None:
        message = _(
            "%(patient)s 转往%(target)s的转诊单 %(number)s（%(state)s）尚未结束，不能重复提交。"
            "请先办结或撤回那一份；转往其他机构不受影响。"
        ) % {
            "patient": referral.patient_name,
            "target": other.target.name if other.target else "",
            "number": other.number,
            "state": other.machine.state(other.state).zh,
        }
        raise Conflict(message, fields={"target": message}, code="already-open")


def _default_target(signed: list[int], *, organization_id: int) -> int | None:
    if signed:
        return signed[0]
    return organizations.lead_of(organization_id=organization_id, day=timezone.localdate())


def _default_reviewer(actor: Actor) -> int | None:
    team = workforce.team_of_village(organization_id=actor.organization_id) if actor.organization_id else None
    return team.leader_id if team else actor.practitioner_id


def _prefilled(known: Known, origin_reference: str) -> dict[str, Any]:
    parts = [f"{known.report_title or _('检查报告')}：{known.report_text}。" if known.report_text else ""]
    systolic, diastolic, pulse = (known.number(name) for name in ("systolic", "diastolic", "pulse"))
    if systolic is not None and diastolic is not None:
        parts.append(f"血压 {systolic}/{diastolic} mmHg" + (f"，脉搏 {pulse} 次/分。" if pulse else "。"))
    return {
        "impression": (known.report_text or (known.conditions[0][1] if known.conditions else ""))[:200],
        "impression_code": "" if known.report_text else (known.conditions[0][0] if known.conditions else "")[:16],
        "present_illness": "".join(parts),
        "history": "、".join(name for _code, name in known.conditions if name)
        + (f"；过敏：{'、'.join(known.allergies)}" if known.allergies else ""),
        "treatment": ("长期用药：" + "、".join(known.medicines)) if known.medicines else "",
        "packet": [line for line in known.packet if line["reference"] == origin_reference]
        or [line for line in known.packet if line["reference"].startswith("DiagnosticReport/")][:3],
    }
