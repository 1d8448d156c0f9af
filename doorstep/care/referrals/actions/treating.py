"""The specialist's acts: treat, admit, discharge with summary and plan, hand back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import benefits, down_aims, texts
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.case import note_debt
from doorstep.care.referrals.actions.details import details_of, give_bed_back
from doorstep.care.referrals.actions.following import close_for_next
from doorstep.care.referrals.actions.sending import Consent, consent_values, decisions_of, under_age
from doorstep.care.referrals.models import RecoveryPlan, Referral
from doorstep.care.referrals.record_facts import age_on
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations import queries as organizations

_PHONE = re.compile(r"^[0-9][0-9 \-]{5,18}$")
LONGEST_PRESCRIPTION = 84  # days; 长期处方管理规范（试行）国卫办医发〔2021〕17号: at most 12 weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Discharge:
    """What the discharge summary says: diagnosis with its ICD-10 code, main findings, course of treatment.

    `owed` is what a patient who was treated before paying still owes, in yuan.
    """

    diagnosis: str
    diagnosis_code: str = ""
    findings: str = ""
    summary: str = ""
    outcome: str = ""
    owed: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The recovery plan: medicines as {"name", "dose", "frequency", "days", "note"}; follow-up days after discharge."""

    medicines: Sequence[Mapping[str, str]] = ()
    follow_up_days: Sequence[int] = texts.FOLLOW_UP_DAYS
    warning_signs: Sequence[str] = ()
    rehabilitation: str = ""
    diet: str = ""
    target_systolic: int | None = 140
    target_diastolic: int | None = 90
    contact_name: str = ""
    contact_phone: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def treat(*, referral: Referral, actor: Actor) -> Referral:
    """A specialist sees the patient as an outpatient and becomes the attending doctor."""
    return workflow.apply(
        referral,
        "treat",
        actor=actor,
        values={"treated_at": timezone.now(), "attending_id": actor.practitioner_id},
        details=details_of(referral),
    )


@transaction.atomic
def admit(
    *,
    referral: Referral,
    actor: Actor,
    ward: str = "",
    bed: str = "",
    inpatient_number: str = "",
    bed_key: UUID | str | None = None,
) -> Referral:
    """Admit to a ward: to a bed of the board by its key, or, where the house keeps no board, by words.

    Raises Refused without either, Conflict when the bed is taken.
    """
    workflow.check_way(referral, "admit", actor=actor)
    if bed_key:
        found = bed_queries.bed_of(key=bed_key, actor=actor)
        ward, bed = found.ward.name, found.number
        beds.occupy(
            bed=found,
            resident=referral.resident,
            actor=actor,
            reference=referral.subject,
            diagnosis=referral.impression,
            diagnosis_code=referral.impression_code,
        )
    if not ward.strip():
        raise Refused(_("收治信息不完整。"), fields={"ward": _("请选择床位或填写病区。")})
    return workflow.apply(
        referral,
        "admit",
        actor=actor,
        values={
            "ward": ward.strip()[:60],
            "bed": bed.strip()[:20],
            "inpatient_number": inpatient_number.strip()[:30],
            "treated_at": referral.treated_at or timezone.now(),
            "admitted_at": timezone.now(),
            "bed_key": None,
            "attending_id": actor.practitioner_id,
        },
        details=details_of(referral, ward=ward.strip()),
    )


@transaction.atomic
def discharge(*, referral: Referral, actor: Actor, summary: Discharge, plan: Plan) -> Referral:
    """Write the discharge summary and the recovery plan in one act; raises Refused with the fields that are wrong."""
    workflow.check_way(referral, "discharge", actor=actor)
    _check_signer(actor)
    check_plan(summary, plan)
    now = timezone.now()
    write_plan(referral, plan, actor=actor, now=now)
    values = _discharge_values(referral, summary, now=now)
    facts = {**details_of(referral), "outcome": values["outcome"], "outcome_en": values["outcome_en"]}
    # A bed that was kept for somebody who was then treated without lying in it is free again.
    give_bed_back(referral, actor=actor, reason=_("患者已出院"))
    moved = workflow.apply(referral, "discharge", actor=actor, values={**values, "bed_key": None}, details=facts)
    stay = bed_queries.stay_by_reference(reference=referral.subject)
    if stay is not None:
        beds.leave(stay=stay, actor=actor)
    if summary.owed:
        note_debt(referral=moved, amount=summary.owed, actor=actor)
    return moved


@transaction.atomic
def send_down(
    *,
    referral: Referral,
    actor: Actor,
    summary: Discharge,
    plan: Plan,
    consent: Consent,
    receiver_id: int | None = None,
    aim: str = "",
) -> Referral:
    """Send a patient of a ward home who came without a referral: summary, plan and consent in one act.

    `aim` is where the patient goes instead of what the draft says. Raises Refused with the fields that are wrong, or without a receiver.
    """
    workflow.check_way(referral, "send_down", actor=actor)
    _check_signer(actor)
    check_plan(summary, plan)
    receiver = receiver_id or referral.receiver_id
    goes_to = aim or referral.goes_to or down_aims.CLINIC
    problems = _down_problems(referral, receiver, goes_to, consent)
    if problems or receiver is None:
        raise Refused(_("下转还有 %(count)s 处未完成。") % {"count": len(problems)}, fields=problems)
    now = timezone.now()
    write_plan(referral, plan, actor=actor, now=now)
    packet.open_home_sight(referral, organization_id=receiver, aim=goes_to, actor=actor)
    values = {
        **_discharge_values(referral, summary, now=now),
        **consent_values(referral, consent, actor=actor, now=now),
        "submitted_at": now,
        "accepted_at": now,
        "treated_at": referral.admitted_at or now,
        "handed_back_at": now,
        "receiver_id": receiver,
        "goes_to": goes_to,
        "aim": goes_to,
        "benefits": benefits.as_rows(decisions_of(referral, actor=actor, now=now)),
    }
    moved = workflow.apply(
        referral,
        "send_down",
        actor=actor,
        values=values,
        details={**details_of(referral), "receiver": receiver, "goes_to": goes_to},
    )
    stay = bed_queries.open_stay_of(resident_id=referral.resident_id)
    if stay is not None and actor.reaches(stay.organization_id):
        beds.leave(stay=stay, actor=actor)
    close_for_next(following=moved, actor=actor)
    return moved


def _check_signer(actor: Actor) -> None:
    """Raise Refused for an account that is nobody's: a plan names the doctor who wrote it.

    What a hospital's own system sends its doctors have signed there.
    """
    if actor.is_staff and actor.practitioner_id is None:
        raise Refused(_("出院小结和康复计划须由医师本人签署：当前账号没有登记医师，请用医师本人的账号登录。"))


def _down_problems(referral: Referral, receiver: int | None, goes_to: str, consent: Consent) -> dict[str, object]:
    problems: dict[str, object] = {}
    if receiver is None or receiver == referral.source_id:
        problems["receiver"] = _("请选择基层承接机构。")
    problems |= aim_problems(goes_to, receiver)
    if not consent.signer.strip() or consent.relation not in texts.RELATIONS:
        problems["consent_signer"] = _("请填写知情同意签署人和与患者的关系。")
    elif consent.relation == "self" and not texts.signs_alone(
        age_on(referral.patient_birth_date, timezone.localdate())
    ):
        # Nobody is in such a hurry to go home that a parent could not be waited for.
        problems["consent_relation"] = under_age()
    return problems


def _discharge_values(referral: Referral, summary: Discharge, *, now: datetime) -> dict[str, Any]:
    target = organizations.get(organization_id=referral.target_id or 0)
    result = summary.outcome.strip() or "好转"
    # Whoever was seen in a clinic was neither taken in nor let out.
    seen, diagnosed = ("接诊", "诊断") if referral.state == "in_treatment" else ("收治", "出院诊断")
    outcome = f"{target.name}{seen}，{diagnosed}：{summary.diagnosis.strip()}；转归：{result}"
    diagnosed_en = "diagnosis" if referral.state == "in_treatment" else "discharge diagnosis"
    code = f" ({summary.diagnosis_code.strip()})" if summary.diagnosis_code.strip() else ""
    return {
        "discharged_at": now,
        "discharge_diagnosis": summary.diagnosis.strip()[:200],
        "discharge_code": summary.diagnosis_code.strip()[:16],
        "findings": summary.findings.strip(),
        "discharge_summary": summary.summary.strip(),
        "outcome": outcome[:400],
        "outcome_en": f"Treated at {target.name_en or target.name}; {diagnosed_en}: {summary.diagnosis}{code}."[:600],
    }


def write_plan(referral: Referral, plan: Plan, *, actor: Actor, now: datetime) -> None:
    """Keep the recovery plan of a referral, the newest words in place of earlier ones."""
    RecoveryPlan.objects.update_or_create(
        referral=referral,
        defaults={
            "resident_id": referral.resident_id,
            "source_id": referral.target_id or referral.source_id,
            "medicines": [dict(line) for line in plan.medicines],
            "follow_up_days": sorted(set(plan.follow_up_days)),
            "warning_signs": list(plan.warning_signs),
            "rehabilitation": plan.rehabilitation.strip(),
            "diet": plan.diet.strip(),
            "target_systolic": plan.target_systolic,
            "target_diastolic": plan.target_diastolic,
            "contact_name": plan.contact_name.strip()[:40],
            "contact_phone": plan.contact_phone.strip()[:30],
            "written_by_id": actor.practitioner_id,
            "written_at": now,
        },
    )


@transaction.atomic
def hand_back(
    *, referral: Referral, actor: Actor, receiver_id: int, plan: Plan | None = None, aim: str = down_aims.CLINIC
) -> Referral:
    """Send the plan down to the unit that takes over, and say where the patient goes (`down_aims.AIMS`); the unit gets sight for this return.

    A `plan` that was finished after the discharge stands in place of the first one. Raises Refused with the fields that are wrong.
    """
    workflow.check_way(referral, "hand_back", actor=actor)
    if receiver_id == referral.target_id:
        raise Refused(_("不能下转给本单位。"), fields={"receiver": _("请选择基层承接机构。")})
    if problems := aim_problems(aim, receiver_id):
        raise Refused(_("去向与承接机构不一致。"), fields=problems)
    if plan is not None:
        check_plan(Discharge(diagnosis=referral.discharge_diagnosis, summary=referral.discharge_summary), plan)
        write_plan(referral, plan, actor=actor, now=timezone.now())
    packet.open_home_sight(referral, organization_id=receiver_id, aim=aim, actor=actor)
    return workflow.apply(
        referral,
        "hand_back",
        actor=actor,
        values={"receiver_id": receiver_id, "goes_to": aim, "handed_back_at": timezone.now()},
        details={**details_of(referral), "receiver": receiver_id, "goes_to": aim},
    )


def default_receiver(referral: Referral) -> int | None:
    """The township or community centre nearest to home: the sender itself, or the unit above a village clinic."""
    source = organizations.get(organization_id=referral.source_id)
    return source.parent_id if source.kind == "village-clinic" else source.id


def aim_problems(aim: str, receiver_id: int | None) -> dict[str, object]:
    """What is wrong with where a patient goes: an aim that does not exist, or a unit that is not of its kind."""
    if aim not in down_aims.AIMS:
        return {"aim": _("请从列表中选择患者的去向。")}
    if receiver_id is None or down_aims.fits_kind(aim, organizations.get(organization_id=receiver_id).kind):
        return {}
    if aim == down_aims.CARE_HOME:
        return {"receiver": _("去向为养老与照护机构，请选择这类机构。")}
    return {"receiver": _("养老与照护机构只承接去向为“养老与照护机构”的患者，请改选去向或机构。")}


def check_plan(summary: Discharge, plan: Plan) -> None:
    """Raise Refused with every field of summary and plan that is missing or wrong."""
    problems = plan_problems(summary, plan)
    if problems:
        raise Refused(_("出院小结或康复计划还有 %(count)s 处需要更正。") % {"count": len(problems)}, fields=problems)


def plan_problems(summary: Discharge, plan: Plan) -> dict[str, object]:
    """What is missing or wrong in summary and plan: a sentence per field."""
    problems: dict[str, object] = dict(plan.problems)
    if summary.owed is not None and summary.owed <= 0:
        problems["owed"] = _("欠款金额应大于 0；没有欠款请留空。")
    if not summary.diagnosis.strip():
        problems["diagnosis"] = _("请填写出院诊断。")
    if not summary.summary.strip():
        problems["summary"] = _("请填写治疗经过。")
    if not plan.contact_name.strip():
        problems["contact_name"] = _("请写明出院后由谁答疑。")
    if not _PHONE.match(plan.contact_phone.strip()):
        problems["contact_phone"] = _("请填写可以打通的联系电话，只含数字和“-”。")
    if any(day < 1 or day > 365 for day in plan.follow_up_days):
        problems["follow_up_days"] = _("随访日须在出院后 1 至 365 天之间。")
    if not plan.follow_up_days:
        problems["follow_up_days"] = _("请至少安排一次随访。")
    for number, line in enumerate(plan.medicines, start=1):
        days = line.get("days", "")
        if days and (not days.isdecimal() or not 1 <= int(days) <= LONGEST_PRESCRIPTION):
            problems["medicines"] = _("第 %(number)s 行药品的天数须为 1 至 %(longest)s。") % {
                "number": number,
                "longest": LONGEST_PRESCRIPTION,
            }
    return problems
