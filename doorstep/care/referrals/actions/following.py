"""The family doctor's acts: receive back, follow up, close; and the clock's: fall due, miss."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import follow_up_states, form_fhir, queries, states, texts
from doorstep.care.referrals.actions.details import details_of, leave_bed, sights_end_by
from doorstep.care.referrals.actions.returning import end_of, facts_of, follow_with, leave_if_idle
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.coordination.visits.rules import danger_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.record import actions as record
from doorstep.kernel.workflow import actions as workflow

_LIMITS = {"systolic": (60, 260), "diastolic": (30, 160), "pulse": (30, 220)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a follow-up found: pressures in mmHg, pulse per minute, symptom codes, whether the medicines are taken."""

    systolic: int | None
    diastolic: int | None
    pulse: int | None = None
    symptoms: tuple[str, ...] = ()
    adherence: str = ""
    adverse_reaction: str = ""
    advice: str = ""
    way: str = "clinic"
    worse: bool = False


@transaction.atomic
def complete_follow_up(*, follow_up: FollowUp, findings: Findings, actor: Actor) -> FollowUp:
    """Write down what a follow-up found; the last one closes the loop.

    `worse` ends it as needing the hospital again.
    """
    problems = finding_problems(findings)
    if problems:
        raise Refused(_("随访记录还有 %(count)s 处需要更正。") % {"count": len(problems)}, fields=problems)
    values: dict[str, Any] = {
        "done_at": timezone.now(),
        "done_by_id": actor.practitioner_id,
        "way": findings.way[:12],
        "systolic": findings.systolic,
        "diastolic": findings.diastolic,
        "pulse": findings.pulse,
        "symptoms": list(findings.symptoms),
        "adherence": findings.adherence,
        "adverse_reaction": findings.adverse_reaction.strip()[:200],
        "advice": findings.advice.strip()[:400],
    }
    verb = "escalate" if findings.worse else "complete"
    done = workflow.apply(follow_up, verb, actor=actor, values=values, details=facts_of(follow_up))
    # The form that was filled in stands beside the answers; while nothing of it changes it keeps its version.
    record.publish(form_fhir.questionnaire(at=values["done_at"]), resident_id=None, actor=actor)
    referral = done.referral
    left = FollowUp.objects.filter(referral_id=done.referral_id, state__in=queries.OPEN_FOLLOW_UPS).exists()
    # A village doctor's last follow-up leaves the closing to the family doctor above.
    if not left and not findings.worse and referral.state == "received_back" and actor.reaches(referral.receiver_id):
        close(referral=referral, actor=actor)
    return done


@transaction.atomic
def reschedule_follow_up(
    *, follow_up: FollowUp, due_on: date, reason: str, actor: Actor, unit_id: int | None = None
) -> FollowUp:
    """Put a follow-up on another day, not before today and at most a year away, or into the hands of another unit (`unit_id`).

    That is the receiver or a village clinic below it, as far as the actor works for both; it then reads the case and asks the ward. A
    village from whose hands the last one was taken, and that has done nothing of it, reads no more. Raises Refused for another day or unit.
    """
    today, before = timezone.localdate(), follow_up.unit_id
    unit = unit_id or before
    problems: dict[str, object] = {}
    if not today <= due_on <= today + timedelta(days=365):
        problems["due_on"] = _("请选择今天起一年内的日期。")
    if unit != follow_up.unit_id and unit not in {one.pk for one in queries.may_follow(follow_up, actor=actor)}:
        problems["unit"] = _("请选择承接机构或其下属村卫生室。")
    if problems:
        raise Refused(_("随访安排不对。"), fields=problems)
    referral = follow_up.referral
    workflow.check_way(follow_up, "reschedule", actor=actor)
    referral.refresh_from_db(fields=["followers"])
    followers = follow_with(referral, unit, actor=actor)
    passed = {"passed": True} if unit != follow_up.unit_id else {}
    moved = workflow.apply(
        follow_up,
        "reschedule",
        actor=actor,
        values={"due_on": due_on, "unit_id": unit},
        due_at=end_of(due_on),
        reason=reason,
        details={**facts_of(follow_up), "unit": unit, **passed},
    )
    left = leave_if_idle(referral, before, actor=actor) if passed else False
    followers = [one for one in followers if not (left and one == before)]
    if followers != referral.followers:
        Referral.objects.filter(pk=referral.pk).update(followers=followers)
    return moved


@transaction.atomic
def close(*, referral: Referral, actor: Actor, outcome: str = "") -> Referral:
    """Close the loop: the outcome is told, hospital and receiver see the case for 30 days more.

    Follow-ups of the plan that are still open are cancelled with the reason in `outcome`; without one it raises Refused: nobody
    drops a plan by a click. Sources ask for the plan's follow-ups and name no way to end them early.
    """
    workflow.check_way(referral, "close", actor=actor)
    follow_ups = queries.follow_ups_of(referral=referral)
    left = queries.still_open(follow_ups)
    if left and not outcome.strip():
        days = "、".join(str(one.day) for one in left)
        sentence = _("第 %(days)s 天的随访尚未完成。请写明不再随访的原因，或完成随访后再办结。") % {"days": days}
        raise Refused(sentence, fields={"outcome": sentence})
    for follow_up in left:
        reason = _("提前办结：%(reason)s") % {"reason": outcome.strip()[:200]}
        workflow.apply(follow_up, "cancel", actor=actor, reason=reason, details=facts_of(follow_up))
    done = [one for one in follow_ups if one.state == "done"]
    text, english = _outcome(referral, done, said=outcome.strip())
    until = timezone.now() + states.REACHABLE
    leave_bed(referral, actor=actor)
    return workflow.apply(
        referral,
        "close",
        actor=actor,
        values={"closed_at": timezone.now(), "outcome": text, "outcome_en": english},
        details={**details_of(referral), "outcome": text, "outcome_en": english},
        along=sights_end_by(referral, until),
    )


def close_for_next(*, following: Referral, actor: Actor) -> int:
    """The unit that had taken a patient over sends the patient further home: the plan that goes along takes the earlier one's place.

    Returns how many cases ended; the follow-ups still open are the next unit's.
    """
    earlier = Referral.objects.filter(
        resident_id=following.resident_id, receiver_id=following.source_id, state="received_back"
    ).exclude(pk=following.pk)
    found = list(earlier)
    for referral in found:
        close(
            referral=referral, actor=actor, outcome=_("已转下一承接机构（%(number)s）") % {"number": following.number}
        )
    return len(found)


def fall_due(*, actor: Actor, today: date | None = None) -> int:
    """Turn the follow-ups whose day has come into tasks for now; returns how many."""
    day = today or timezone.localdate()
    found = list(
        FollowUp.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state="planned", due_on__lte=day)
        .order_by("due_on")[:200]
    )
    for follow_up in found:
        workflow.apply(follow_up, "fall_due", actor=actor, details=facts_of(follow_up))
    return len(found)


def miss_follow_ups(*, actor: Actor, today: date | None = None) -> int:
    """Mark the follow-ups that were not done within a week of their day; returns how many."""
    day = (today or timezone.localdate()) - follow_up_states.FOLLOW_UP_WINDOW
    found = list(
        FollowUp.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state="due", due_on__lt=day)
        .order_by("due_on")[:200]
    )
    for follow_up in found:
        workflow.apply(follow_up, "miss", actor=actor, details=facts_of(follow_up))
    return len(found)


def finding_problems(findings: Findings) -> dict[str, object]:
    """What is missing or wrong in a follow-up: a sentence per field."""
    problems: dict[str, object] = {}
    for name, label in (("systolic", _("收缩压")), ("diastolic", _("舒张压")), ("pulse", _("脉搏"))):
        value = getattr(findings, name)
        low, high = _LIMITS[name]
        if value is not None and not low <= value <= high:
            problems[name] = _("%(label)s应在 %(low)s 至 %(high)s 之间，请核对。") % {
                "label": label,
                "low": low,
                "high": high,
            }
    if findings.way in ("visit", "clinic") and (findings.systolic is None or findings.diastolic is None):
        problems.setdefault("systolic", _("面对面随访请测量血压。"))
    if findings.systolic and findings.diastolic and findings.systolic <= findings.diastolic:
        problems["diastolic"] = _("舒张压应低于收缩压，请核对是否填反。")
    # A slip of the keyboard is told as one; what is dangerous is asked once the figures are right.
    if not findings.worse and not findings.advice.strip() and not problems.keys() & {"systolic", "diastolic"}:
        problems |= _unanswered(findings)
    if not findings.adherence:
        problems["adherence"] = _("请选择服药情况。")
    if findings.worse and not findings.advice.strip():
        problems["advice"] = _("请写明病情变化和处理意见。")
    return problems


def _unanswered(findings: Findings) -> dict[str, object]:
    """What must not be put away as an ordinary follow-up: a dangerous pressure or sign that nothing is said about."""
    high, low = (None if one is None else Decimal(one) for one in (findings.systolic, findings.diastolic))
    danger = danger_of(systolic=high, diastolic=low)
    if danger is not None:
        said = _("%(danger)s：需要转诊的请勾选“病情变化，需要再次转诊”；复测已下降的，请在处理意见写明复测值和处置。")
        return {"advice": said % {"danger": danger.title}}
    signs = [texts.FOLLOW_UP_SYMPTOMS[one] for one in texts.ALARMING if one in findings.symptoms]
    if signs:
        said = _("患者有%(signs)s：需要转诊的请勾选“病情变化，需要再次转诊”；否则请在处理意见写明判断和处置。")
        return {"advice": said % {"signs": "、".join(_(one) for one in signs)}}
    return {}


def _outcome(referral: Referral, done: list[FollowUp], *, said: str) -> tuple[str, str]:
    text = referral.outcome + f"；随访 {len(done)} 次"
    english = referral.outcome_en + f" Follow-ups done: {len(done)}"
    measured = [one for one in done if one.systolic and one.diastolic]
    if measured:
        text += f"，末次血压 {measured[-1].systolic}/{measured[-1].diastolic} mmHg"
        english += f", last blood pressure {measured[-1].systolic}/{measured[-1].diastolic} mmHg"
    text += "。" + said
    return text[:400], (english + ".")[:600]
