"""A recovery plan as FHIR R4: CarePlan, the Goal that it aims at, the List of medicines that go home.

hl7.org/fhir/R4: careplan, goal, list. The target of blood pressure stands with the last follow-up that measured it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid5

from doorstep.care.referrals import down_aims
from doorstep.care.referrals.models import FollowUp, RecoveryPlan, Referral
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json, compact, concept, instant, period, quantity, reference, text_concept

_ACHIEVED = "http://terminology.hl7.org/CodeSystem/goal-achievement"
_PRESSURES = (("8480-6", "Systolic blood pressure", "收缩压"), ("8462-4", "Diastolic blood pressure", "舒张压"))

FOLLOW_UP_STATUS = {
    "planned": "not-started",
    "due": "scheduled",
    "missed": "on-hold",
    "done": "completed",
    "escalated": "completed",
    "cancelled": "cancelled",
}


def plan_resources(plan: RecoveryPlan, referral: Referral) -> list[Json]:
    """The plan with its follow-ups as they stand, what it aims at, and the medicines that go home."""
    follow_ups = list(referral.follow_ups.order_by("day"))
    lines = [medicine_text(line) for line in plan.medicines]
    found = (
        care_plan(plan, referral, follow_ups),
        goal(plan, referral, follow_ups),
        medicine_list(plan, referral, lines),
    )
    return [one for one in found if one is not None]


def care_plan(plan: RecoveryPlan, referral: Referral, follow_ups: list[FollowUp]) -> Json:
    """The recovery plan: medicines, follow-ups with how they stand, warning signs, who answers."""
    medicines = [
        {"detail": {"status": "in-progress", "kind": "MedicationRequest", "description": medicine_text(line)}}
        for line in plan.medicines
    ]
    planned = [
        {
            "detail": compact(
                {
                    "status": FOLLOW_UP_STATUS[one.state],
                    "kind": "Task",
                    "description": f"出院后第 {one.day} 天随访",
                    "scheduledPeriod": period(one.due_on, one.due_on),
                    "performer": [_organization(one.unit)],
                }
            )
        }
        for one in follow_ups
    ] or [
        {"detail": {"status": "not-started", "kind": "Task", "description": f"出院后第 {day} 天随访"}}
        for day in plan.follow_up_days
    ]
    notes = [f"警示症状：{'；'.join(plan.warning_signs)}" if plan.warning_signs else "", plan.rehabilitation, plan.diet]
    return compact(
        {
            "resourceType": "CarePlan",
            "id": str(plan.key),
            "status": "completed" if referral.state == "closed" else "active",
            "intent": "plan",
            "category": [concept(systems.REFERRAL_AIM, referral.goes_to, down_aims.AIMS[referral.goes_to].text)]
            if referral.goes_to
            else [],
            "title": "出院康复计划",
            "subject": _patient(referral),
            "encounter": reference("Encounter", referral.key),
            "created": instant(plan.written_at),
            "goal": [reference("Goal", goal_key(plan))] if plan.target_systolic or plan.target_diastolic else [],
            "activity": [*medicines, *planned],
            "note": [{"text": text} for text in notes if text]
            + [{"text": f"答疑：{plan.contact_name} {plan.contact_phone}"}],
        }
    )


def goal_key(plan: RecoveryPlan) -> str:
    """The id of a plan's goal of blood pressure."""
    return str(uuid5(plan.key, "goal/blood-pressure"))


def goal(plan: RecoveryPlan, referral: Referral, follow_ups: Sequence[FollowUp]) -> Json | None:
    """The goal of blood pressure with what the last follow-up found; None when the plan names none."""
    targets = (plan.target_systolic, plan.target_diastolic)
    named = [
        (code, display, zh, value) for (code, display, zh), value in zip(_PRESSURES, targets, strict=True) if value
    ]
    if not named:
        return None
    measured = [one for one in follow_ups if one.done_at and one.systolic and one.diastolic]
    last = max(measured, key=lambda one: one.day, default=None)
    achieved = None
    if last is not None:
        found = zip(targets, (last.systolic, last.diastolic), strict=True)
        reached = all(target is None or (value is not None and value < target) for target, value in found)
        achieved = ("achieved", "Achieved") if reached else ("not-achieved", "Not Achieved")
    bounds = " / ".join(f"{zh} < {value} mmHg" for _code, _display, zh, value in named)
    return compact(
        {
            "resourceType": "Goal",
            "id": goal_key(plan),
            "lifecycleStatus": "completed" if referral.state == "closed" else "active",
            "achievementStatus": concept(_ACHIEVED, *achieved) if achieved else None,
            "description": text_concept(f"血压控制目标：{bounds}"),
            "subject": _patient(referral),
            "startDate": plan.written_at.date().isoformat(),
            "target": [
                {
                    "measure": concept(systems.LOINC, code, display, zh),
                    "detailQuantity": {**quantity(value, "mmHg", "mm[Hg]"), "comparator": "<"},
                }
                for code, display, zh, value in named
            ],
            "expressedBy": reference("Practitioner", plan.written_by.key, plan.written_by.name)
            if plan.written_by
            else None,
            "outcomeReference": [reference("Observation", last.key)] if last is not None else [],
        }
    )


def medicine_list(plan: RecoveryPlan, referral: Referral, lines: Sequence[str]) -> Json | None:
    """The medicines that go home with the plan, as words: no prescription of the house stands behind them. None without any."""
    if not lines:
        return None
    items: list[dict[str, Any]] = [{"item": {"display": line}} for line in lines]
    return compact(
        {
            "resourceType": "List",
            "id": str(uuid5(plan.key, "medicines")),
            "status": "retired" if referral.state == "closed" else "current",
            "mode": "snapshot",
            "title": "出院带药",
            "code": concept(systems.LOINC, "10183-2", "Hospital discharge medications Narrative", "出院带药"),
            "subject": _patient(referral),
            "encounter": reference("Encounter", referral.key),
            "date": instant(plan.written_at),
            "entry": items,
        }
    )


def medicine_text(line: dict[str, Any]) -> str:
    """One medicine in a line: name, dose, frequency, days."""
    days = f"{line['days']} 天" if line.get("days") else ""
    return " ".join(
        part for part in (line.get("name"), line.get("dose"), line.get("frequency"), days, line.get("note")) if part
    )


def _patient(referral: Referral) -> Json:
    return reference("Patient", referral.resident_key, referral.patient_name)


def _organization(organization: Any) -> Json | None:
    return reference("Organization", organization.key, organization.name) if organization else None
