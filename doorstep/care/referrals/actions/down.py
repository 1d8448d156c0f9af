"""The way home as the house proposes it: who may go, who is asked, what is drafted; refusals keep their coded reason."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import contact, down_aims, down_queries, down_rules
from doorstep.care.referrals.criteria import as_rows
from doorstep.care.referrals.long_term import with_long_term
from doorstep.care.referrals.models import DownProposal, Referral, UnitService
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.plan_signs import signs_of
from doorstep.coordination.beds import queries as beds
from doorstep.coordination.beds.models import Stay
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.terminology import queries as terminology
from doorstep.kernel.workflow import actions as workflow

# A round older than this says nothing of today.
_ROUND_HOLDS = timedelta(days=1)


def propose_down(*, actor: Actor) -> int:
    """Look through the wards as the system: propose who may go home, let lapse what lost its ground; returns how many moved."""
    today = timezone.localdate()
    stays = {stay.key: stay for stay in beds.every_open_stay()}
    moved = 0
    for proposal in DownProposal.objects.filter(state__in=("proposed", "asked")):
        if proposal.stay_key not in stays:
            workflow.apply(proposal, "lapse", actor=actor, details=facts_of(proposal))
            moved += 1
    again = timezone.now() - timedelta(days=down_rules.ASK_AGAIN_DAYS)
    recent = DownProposal.objects.filter(stay_key__in=stays)
    busy = set(recent.exclude(state="refused").exclude(state="lapsed").values_list("stay_key", flat=True))
    busy |= set(recent.filter(state="refused", state_since__gt=again).values_list("stay_key", flat=True))
    for key, stay in stays.items():
        fresh = stay.round_on is not None and today - stay.round_on <= _ROUND_HOLDS
        if key not in busy and fresh:
            moved += _propose(stay, actor=actor)
    return moved


def refuse_ward(*, proposal: DownProposal, code: str, reason: str, actor: Actor) -> DownProposal:
    """The ward's doctor keeps the patient, with a coded reason; the house asks again after two days."""
    words = refusal_words(code, reason)
    return workflow.apply(
        proposal,
        "refuse_ward",
        actor=actor,
        reason=words,
        values={"ward_code": code, "answered_at": timezone.now()},
        details={**facts_of(proposal), "code": code, "by": "ward"},
    )


def open_down_draft(*, proposal: DownProposal, actor: Actor) -> Referral | None:
    """For a patient who came without a referral: the draft of a down-referral, which the ward completes; None when there is one."""
    doctor = proposal.plan.get("doctor")
    if proposal.referral_id is not None or doctor is None:
        return None
    stay = beds.stay_of(key=proposal.stay_key)
    resident = stay.resident
    referral = Referral(
        resident=resident,
        resident_key=resident.key,
        patient_name=resident.name,
        patient_gender=resident.gender,
        patient_birth_date=resident.birth_date,
        **contact.of_register(resident),
        direction=Referral.Direction.DOWN,
        aim=proposal.aim,
        goes_to=proposal.aim,
        source_id=proposal.hospital_id,
        target_id=proposal.hospital_id,
        receiver_id=proposal.receiver_id,
        referrer_id=doctor,
        reviewer_id=doctor,
        attending_id=doctor,
        impression=proposal.diagnosis,
        impression_code=stay.diagnosis_code,
        origin=proposal.subject,
        ward=stay.bed.ward.name,
        bed=stay.bed.number,
        admitted_at=stay.admitted_at,
    )
    begun = workflow.begin(referral, "draft", actor=actor, details={"origin": proposal.subject, "direction": "down"})
    DownProposal.objects.filter(pk=proposal.pk).update(referral=begun)
    return begun


@transaction.atomic
def save_service(
    *, organization_id: int, accepts: bool, skills: Sequence[str], medicines: Sequence[str], actor: Actor
) -> UnitService:
    """What a primary unit can do for patients who come back; raises Refused for a skill or medicine that does not exist."""
    actor.check(Permission.REFERRAL_RECEIVE_BACK)
    if not actor.reaches(organization_id):
        raise NotFound()
    if set(skills) - set(down_rules.SKILLS):
        raise Refused(_("承接能力不对。"), fields={"skills": _("请从列表中选择。")})
    known = terminology.lookup(system=down_queries.MEDICINES, codes=list(medicines))
    unknown = [code for code in medicines if code not in known]
    if unknown:
        raise Refused(
            _("药品目录不对。"), fields={"medicines": _("目录中没有：%(codes)s") % {"codes": "、".join(unknown)}}
        )
    saved, _made = UnitService.objects.update_or_create(
        organization_id=organization_id,
        defaults={
            "accepts": accepts,
            "skills": list(skills),
            "medicines": list(medicines),
            "changed_at": timezone.now(),
        },
    )
    return saved


def facts_of(proposal: DownProposal) -> dict[str, Any]:
    """What every event of a proposal carries."""
    return {
        "hospital": proposal.hospital_id,
        "receiver": proposal.receiver_id,
        "disease": proposal.disease,
        "ward": proposal.ward,
        "aim": proposal.aim,
    }


def _propose(stay: Stay, *, actor: Actor) -> int:
    known = down_queries.known_of_stay(stay, actor=actor)
    disease, judged = down_queries.judge_known(stay, known)
    if not down_rules.may_propose(judged):
        return 0
    # What the patient took before goes on at home: the unit must have that as well.
    groups = down_queries.groups_of()
    medicines = with_long_term(stay.medicines, down_queries.long_term_of(known), groups=groups)
    aim, why = down_aims.propose(skills=down_rules.needs_of(disease, medicines).skills, said=stay.rounds)
    needs = down_rules.needs_of(disease, medicines, aim=aim)
    weighed = down_queries.receivers_for(home=stay.resident.organization, needs=needs, besides=(stay.organization_id,))
    best = next((one for one in weighed if one.able), None)
    proposal = DownProposal(
        resident_id=stay.resident_id,
        resident_key=stay.resident_key,
        patient_name=stay.patient_name,
        patient_gender=stay.resident.gender,
        patient_birth_date=stay.resident.birth_date,
        referral=Referral.objects.filter(resident_id=stay.resident_id, state="admitted").first(),
        stay_key=stay.key,
        ward=stay.bed.ward.name,
        disease=disease,
        diagnosis=stay.diagnosis,
        hospital_id=stay.organization_id,
        receiver_id=best.unit.id if best else None,
        criteria=as_rows(judged),
        aim=aim,
        aim_reason=why,
        needs=down_queries.as_needs(needs),
        choices=down_queries.as_choices(weighed),
        plan=_plan(stay, disease, medicines, groups),
    )
    workflow.begin(proposal, "propose", actor=actor, details=facts_of(proposal))
    return 1


def _plan(stay: Stay, disease: str, medicines: list[dict[str, str]], groups: dict[str, str]) -> dict[str, Any]:
    """The draft of the recovery plan: medicines, days of follow-up, warning signs, who answers questions."""
    return {
        "medicines": medicines,
        "follow_up_days": list(down_rules.FOLLOW_UPS[disease]),
        "warning_signs": signs_of(disease, medicines, groups=groups),
        "contact_name": stay.attending.name if stay.attending else stay.bed.ward.name,
        "contact_phone": stay.bed.ward.phone or stay.organization.phone,
        "doctor": stay.attending_id,
    }


def refusal_words(code: str, reason: str) -> str:
    """A coded refusal with what was written to it; raises Refused for no such code, and for "other" without words, which tells nobody anything."""
    label, said = label_of(code), reason.strip()
    if code == Referral.BackReason.OTHER and not said:
        sentence = _("选择“其他”时请写明原因，对方会看到。")
        raise Refused(sentence, fields={"reason": sentence})
    return f"{label}：{said}" if said else label


def label_of(code: str) -> str:
    """A coded reason in words; raises Refused for one that does not exist."""
    if code not in Referral.BackReason.values:
        raise Refused(_("请选择原因。"), fields={"code": _("请从列表中选择原因，原因会计入下转统计。")})
    return str(Referral.BackReason(code).label)
