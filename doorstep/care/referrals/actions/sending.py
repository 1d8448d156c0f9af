"""The sender sends: consent, criteria, benefits, the target's sight, all in one act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorstep.care.referrals import benefits, contact, expecting, queries, rules, states, texts
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.details import details_of, free, once_per_target, place_standing
from doorstep.care.referrals.actions.drafting import revising, revision_of
from doorstep.care.referrals.criteria import Judgement, as_rows, judge
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.record_facts import Known, age_on, judged_of, up_facts
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.files import actions as files
from doorstep.kernel.record import queries as records
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations

_SIGNATURE_LIMIT = 200_000
# What needs a place of a clinic or a bed that is asked for; everything else is arranged by the receiving unit.
_BY_SLOT = ("department", "expert", "bed")

# The kinds of units to which an aim leads, where not every unit has it.
KINDS_OF: dict[str, tuple[str, ...]] = {"clinic": ("township-center", "community-center"), "care-home": ("care-home",)}
_WRONG_UNIT = {
    "clinic": gettext_lazy("转往基层门诊，请选择卫生院或社区卫生服务中心。"),
    "care-home": gettext_lazy("转往养老与照护机构，请选择这类机构；医共体内没有的，请登记转往医共体外。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agreed, related how, to which version of the text.

    `signature` is a PNG data URL or "", `paper` the signed paper as it was photographed or scanned, with its name.
    """

    signer: str
    relation: str
    version: str = texts.CONSENT_VERSION
    signature: str = ""
    paper: bytes = b""
    paper_name: str = ""


def submit(
    *, referral: Referral, consent: Consent, actor: Actor, revision: Mapping[str, Any] | None = None
) -> Referral:
    """Send a draft, or a returned referral, with the patient's consent: the target sees it from now on.

    `revision` is what the form says besides (`revise`), written in the same act. Books the held place, opens the target's
    relationship for this referral (the whole record, or the packet chosen) and decides the benefits.
    Raises Refused with the fields that are missing, Conflict when the resident has an open referral to that unit, or
    when the hold has run out; who cannot wait is sent without the place then, and the receiving side arranges.
    """
    # One savepoint for the whole act: a second open request to the unit is known by its constraint only when the row is written.
    with once_per_target(lambda: _open_there(referral)):
        return _submit(referral, consent, actor=actor, written=revision_of(revision or {}))


def _submit(referral: Referral, consent: Consent, *, actor: Actor, written: Mapping[str, Any]) -> Referral:
    now = timezone.now()
    for name, value in written.items():
        setattr(referral, name, value)
    # Ten minutes went by over the form of somebody who cannot wait: the place is gone, and nobody looks for another one first.
    without = referral.kind != Referral.Kind.ORDINARY and _lapsed(referral, now)
    if without:
        referral.hold_key, referral.appointment_text, referral.expected_at = None, "", None
    kept = _still_fits(referral, actor=actor)
    _check_complete(referral, consent, now, placed=kept is not None)
    target_id = referral.target_id
    if target_id is None or referral.source_id == target_id:
        raise Refused(_("转入机构不能是本单位。"), fields={"target": _("请选择另一家机构。")})
    judged = as_rows(_judged(referral, judged_of(**_of_record(referral))))
    booking = kept if referral.hold_key is None else _booked(referral, referral.hold_key, actor=actor)
    referral.whole_record = packet.is_whole(referral)
    values: dict[str, Any] = {
        **written,
        **consent_values(referral, consent, actor=actor, now=now),
        "submitted_at": now,
        "whole_record": referral.whole_record,
        "criteria": judged,
        "benefits": benefits.as_rows(decisions_of(referral, actor=actor, now=now)),
        "hold_key": None,
        "held_until": None,
        **({"appointment_text": "", "expected_at": None} if without and kept is None else {}),
        **({"booking": booking} if booking or referral.booking_id else {}),
    }
    along = [
        _looked(referral, actor=actor),
        *([revising(referral, written, actor=actor)] if written else []),
        # One that comes again may go elsewhere or show less: what the first opened ends.
        *([packet.ending_sight(referral)] if referral.state == "returned" else []),
        packet.opening_sight(referral, organization_id=target_id, episode=referral.sight, actor=actor),
    ]
    return _send(referral, values, actor=actor, now=now, along=along)


def _still_fits(referral: Referral, *, actor: Actor) -> Booking | None:
    """The place of a referral that was returned; given back when it goes to another unit, or at a time chosen anew, first of all:
    the new place may be at the same time."""
    kept = place_standing(referral, actor=actor)
    if kept is None or (referral.hold_key is None and kept.organization_id == referral.target_id):
        return kept
    free(kept, actor=actor, reason=_("转诊已改选其他号源或机构"))
    return None


def _booked(referral: Referral, hold_key: UUID, *, actor: Actor) -> Booking:
    booking = scheduling.book(
        hold_key=hold_key, resident_id=referral.resident_id, actor=actor, reference=referral.subject
    )
    if booking.organization_id != referral.target_id:
        raise Refused(
            _("号源与转入机构不一致。"),
            fields={"slot": _("所选号源不属于转入机构，请重新选号，或改回原转入机构。")},
        )
    return booking


def _of_record(referral: Referral) -> dict[str, Any]:
    return {"resident_id": referral.resident_id, "origin_reference": referral.origin_reference}


def _looked(referral: Referral, *, actor: Actor) -> Call:
    """What the criteria and the packet read of the record is a look at it."""
    subject = f"resident/{referral.resident_id}"
    return records.looking(resident_id=referral.resident_id, actor=actor, subject=subject, action="record.view")


def judge_up(referral: Referral, *, actor: Actor) -> list[Judgement]:
    """The up-referral criteria on what the record and the form say now; the look is audited."""
    run([_looked(referral, actor=actor)])
    return _judged(referral, judged_of(**_of_record(referral)))


def _judged(referral: Referral, known: Known) -> list[Judgement]:
    facts = up_facts(
        known,
        birth_date=referral.patient_birth_date,
        symptoms=referral.symptoms,
        critical=referral.critical,
        day=timezone.localdate(),
        gender=referral.patient_gender,
        impressions=[(referral.impression_code, referral.impression)],
        said=expecting.said_of(referral, day=timezone.localdate()),
    )
    return judge(rules.UP_CRITERIA, facts)


# How a picture (PNG, JPEG) and a PDF begin, and what they are then: what a sender calls them could be a page or a script.
_PAPERS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF": "application/pdf"}
_NO_PAPER = gettext_lazy("请上传照片（JPG、PNG）或 PDF。")


def consent_values(referral: Referral, consent: Consent, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The columns of a consent; the signed paper is kept as a file of the referral. Raises Refused for what is no picture or PDF."""
    paper = None
    if consent.paper:
        kind = next((kind for begun, kind in _PAPERS.items() if consent.paper.startswith(begun)), "")
        if not kind:
            raise Refused(_("知情同意书文件无法识别。"), fields={"consent_paper": _NO_PAPER})
        paper = files.store(
            data=consent.paper,
            name=consent.paper_name or "consent",
            media_type=kind,
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


def decisions_of(referral: Referral, *, actor: Actor, now: datetime) -> list[benefits.Decision]:
    """What the contracts decide of a referral as it stands."""
    question = benefits.Question(
        resident_id=referral.resident_id,
        target_id=referral.target_id,
        kind=referral.kind,
        critical=referral.critical,
        day=timezone.localdate(now),
        direction=referral.direction,
    )
    return benefits.benefits_of(question, actor=actor)


def _send(
    referral: Referral, values: dict[str, Any], *, actor: Actor, now: datetime, along: Sequence[Call]
) -> Referral:
    verb = "submit_green" if referral.kind == Referral.Kind.GREEN else "submit"
    due_at = now + states.URGENT_ANSWER if referral.kind == Referral.Kind.URGENT else None
    also = [] if referral.whole_record else [packet.packet_of(referral, actor=actor)]
    details = details_of(referral)
    with access.refused_as_not_found():
        return workflow.apply(
            referral,
            verb,
            actor=actor,
            values=values,
            details=details,
            due_at=due_at,
            also=also,
            along=along,
        )


def _check_complete(referral: Referral, consent: Consent, now: datetime, *, placed: bool) -> None:
    missing = _missing(referral, consent, now, placed=placed)
    if missing:
        raise Refused(_("转诊单还有 %(count)s 处未完成。") % {"count": len(missing)}, fields=missing)


def missing_of(*, referral: Referral, consent: Consent, placed: bool, actor: Actor) -> dict[str, object]:
    """What a submission would be refused for, by field, with the referral as it stands in memory; nothing is written.

    `placed`: a place is chosen with the form and will be held by the same act.
    """
    kept = placed or place_standing(referral, actor=actor) is not None
    return _missing(referral, consent, timezone.now(), placed=kept)


def _missing(referral: Referral, consent: Consent, now: datetime, *, placed: bool) -> dict[str, object]:
    missing: dict[str, object] = {}
    if referral.target_id is None:
        missing["target"] = _("请选择转入机构。")
    elif (
        referral.aim in KINDS_OF
        and organizations.get(organization_id=referral.target_id).kind not in KINDS_OF[referral.aim]
    ):
        missing["target"] = str(_WRONG_UNIT[referral.aim])
    if referral.reviewer_id is None:
        missing["reviewer"] = _("请指定转诊审核医师。")
    if not referral.impression.strip():
        missing["impression"] = _("请填写初步印象。")
    if not referral.present_illness.strip():
        missing["present_illness"] = _("请填写主要现病史（转出原因）。")
    if not placed and not referral.bed_requested and referral.aim in _BY_SLOT:
        if referral.hold_key is None:
            # Who cannot wait is not sent to look for a clinic's place first: the receiving side arranges.
            if referral.kind == Referral.Kind.ORDINARY:
                missing["slot"] = _("请在“号源”中选一个号，或勾选申请床位。")
        elif _lapsed(referral, now):
            missing["slot"] = _("号源预留已超过 10 分钟，号已放回。请重新选择。")
    return missing | _unsigned(referral, consent, now) | contact.faults(referral) | expecting.faults(referral, now)


def _lapsed(referral: Referral, now: datetime) -> bool:
    """Whether the place that was kept for the form has gone back since."""
    return referral.hold_key is not None and referral.held_until is not None and referral.held_until <= now


def _unsigned(referral: Referral, consent: Consent, now: datetime) -> dict[str, object]:
    """What the consent lacks, by field."""
    missing: dict[str, object] = {}
    if not consent.signer.strip():
        missing["consent_signer"] = _("请填写知情同意签署人。")
    if consent.relation not in texts.RELATIONS:
        missing["consent_relation"] = _("请选择签署人与患者的关系。")
    elif consent.relation == "self" and not _signs_alone(referral, timezone.localdate(now)):
        missing["consent_relation"] = under_age()
    if consent.paper and not consent.paper.startswith(tuple(_PAPERS)):
        missing["consent_paper"] = _NO_PAPER
    return missing


def under_age() -> str:
    """What is said where a child would sign for itself."""
    return _("患者未满 16 周岁，请由父母或其他监护人签署，并选择签署人与患者的关系。")


def _signs_alone(referral: Referral, day: date) -> bool:
    """Whether the patient may sign for themselves; who cannot wait is not held up by a parent who is not there yet."""
    waits = referral.kind == Referral.Kind.ORDINARY
    return not waits or texts.signs_alone(age_on(referral.patient_birth_date, day))


def _open_there(referral: Referral) -> Conflict:
    """The refusal of a second request to a unit where the first is open; names it where the actor may see it."""
    other = queries.open_at_target(
        resident_id=referral.resident_id, target_id=referral.target_id or 0, besides=referral.pk
    )
    if other is None:
        return Conflict(
            _("该居民转往这家机构的另一份转诊尚未结束，不能重复提交。请与该机构转诊中心联系，或改转其他机构。")
        )
    message = _(
        "%(patient)s 转往%(target)s的转诊单 %(number)s（%(state)s）尚未结束，不能重复提交。"
        "请先办结或撤回那一份；转往其他机构不受影响。"
    ) % {
        "patient": referral.patient_name,
        "target": other.target.name if other.target else "",
        "number": other.number,
        "state": other.machine.state(other.state).zh,
    }
    return Conflict(message, fields={"target": message}, code="already-open")
