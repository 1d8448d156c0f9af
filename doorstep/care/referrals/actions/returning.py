"""The receiver's acts before follow-up: take over, expect, note the arrival; or give back to the hospital."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import down_aims, follow_up_states, queries, states
from doorstep.care.referrals.actions import packet
from doorstep.care.referrals.actions.details import details_of, give_bed_back
from doorstep.care.referrals.arrival import A_DAY, in_working_time
from doorstep.care.referrals.models import CaseQuestion, FollowUp, Referral
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow

# The latest day that is no slip of the hand; this house's own.
LATEST_ARRIVAL = timedelta(days=30)


@transaction.atomic
def receive_back(
    *,
    referral: Referral,
    actor: Actor,
    unit_id: int | None = None,
    expected_at: datetime | None = None,
    bed_key: Any = None,
) -> Referral:
    """Take the patient over. Who comes to the clinic is followed up from now on, by the receiver or a unit below it (`unit_id`).

    Who goes to a bed, a care home, rehabilitation or stays at home is expected at `expected_at` (tomorrow in working time without one), and the bed is
    kept until then. Raises Refused for a time that is wrong, or without a bed where the unit's board has such beds.
    """
    if referral.goes_to not in down_aims.ARRIVING:
        now = timezone.now()
        return _followed(referral, "receive_back", actor=actor, unit_id=unit_id, values={"taken_back_at": now})
    workflow.check_way(referral, "receive_back", actor=actor)
    now = timezone.now()
    expected = expected_at or in_working_time(now + A_DAY)
    problems = _time_problems(expected, now=now) | _bed_problems(referral, bed_key)
    if problems:
        raise Refused(_("承接安排还有 %(count)s 处需要更正。") % {"count": len(problems)}, fields=problems)
    until = expected + states.ARRIVAL_GRACE
    if bed_key:
        found = bed_queries.bed_of(key=bed_key, actor=actor)
        beds.hold(bed=found, reference=referral.subject, until=until, actor=actor)
    return workflow.apply(
        referral,
        "receive_back",
        actor=actor,
        values={"taken_back_at": now, "back_expected_at": expected, "bed_key": bed_key or None},
        details=details_of(referral, goes_to=referral.goes_to, expected_at=expected.isoformat()),
        due_at=until,
    )


@transaction.atomic
def postpone_back(*, referral: Referral, expected_at: datetime, reason: str, actor: Actor) -> Referral:
    """The patient comes at another time, agreed with the patient; a bed that is kept is kept until then. Raises Refused for a wrong time."""
    now = timezone.now()
    if problems := _time_problems(expected_at, now=now):
        raise Refused(_("到达时间不对。"), fields=problems)
    until = expected_at + states.ARRIVAL_GRACE
    beds.extend(reference=referral.subject, until=until)
    return workflow.apply(
        referral,
        "postpone_back",
        actor=actor,
        reason=reason,
        values={"back_expected_at": expected_at},
        details=details_of(referral, goes_to=referral.goes_to, expected_at=expected_at.isoformat()),
        due_at=until,
    )


@transaction.atomic
def arrive_back(*, referral: Referral, actor: Actor, unit_id: int | None = None, bed_key: Any = None) -> Referral:
    """The patient is there, or was visited at home: follow-ups are planned, and the bed is occupied (`bed_key`, else the one kept).

    Raises Refused without a bed where the aim needs one of the board, Conflict when the bed was taken meanwhile.
    """
    workflow.check_way(referral, "arrive_back", actor=actor)
    chosen = bed_key or _kept(referral)
    if problems := _bed_problems(referral, chosen):
        raise Refused(_("请选择床位。"), fields=problems)
    if chosen:
        found = bed_queries.bed_of(key=chosen, actor=actor)
        if found.held_for != referral.subject:
            give_bed_back(referral, actor=actor, reason=_("改用其他床位"))
        beds.occupy(
            bed=found,
            resident=referral.resident,
            actor=actor,
            reference=referral.subject,
            diagnosis=referral.discharge_diagnosis,
            diagnosis_code=referral.discharge_code,
            # The ward goes on with what the plan says, until its own round says otherwise.
            medicines=plan.medicines if (plan := queries.plan_of(referral=referral)) is not None else (),
        )
    return _followed(referral, "arrive_back", actor=actor, unit_id=unit_id, values={"bed_key": None})


@transaction.atomic
def decline_back(*, referral: Referral, reason: str, actor: Actor, code: str = "other") -> Referral:
    """The receiver cannot take the patient, or waits in vain, with a coded reason; the hospital must find another."""
    if code not in Referral.BackReason.values:
        raise Refused(_("请选择不能承接的原因。"), fields={"code": _("请从列表中选择原因。")})
    workflow.check_way(referral, "decline_back", actor=actor)
    give_bed_back(referral, actor=actor, reason=str(Referral.BackReason(code).label))
    moved = workflow.apply(
        referral,
        "decline_back",
        actor=actor,
        reason=reason,
        values={"back_code": code, "bed_key": None, "taken_back_at": None, "back_expected_at": None},
        details=details_of(referral, code=code),
    )
    access.close_relationship(
        resident_id=moved.resident_id,
        reason=CareRelationship.Reason.RETURN,
        episode=moved.shown_under,
        actor=actor,
    )
    return moved


def _followed(referral: Referral, verb: str, *, actor: Actor, unit_id: int | None, values: dict[str, Any]) -> Referral:
    """Every follow-up of the plan is put on its day; a day that has already passed is put on today."""
    plan = queries.plan_of(referral=referral)
    days = plan.follow_up_days if plan else []
    unit = unit_id or referral.receiver_id
    if unit is None or not actor.reaches(unit):
        raise Refused(_("随访单位不对。"), fields={"unit": _("请选择本院或下属村卫生室。")})
    values = {**values, "followers": follow_with(referral, unit, actor=actor)}
    discharged = timezone.localdate(referral.discharged_at or timezone.now())
    today = timezone.localdate()
    last = max([today, *(discharged + timedelta(days=day) for day in days)])
    moved = workflow.apply(
        referral,
        verb,
        actor=actor,
        values={**values, "received_back_at": timezone.now()},
        details=details_of(referral, follow_ups=list(days), goes_to=referral.goes_to),
        due_at=end_of(last + follow_up_states.FOLLOW_UP_WINDOW),
    )
    for day in days:
        follow_up = FollowUp(
            referral=moved,
            resident_id=moved.resident_id,
            unit_id=unit,
            patient_name=moved.patient_name,
            day=day,
            due_on=max(today, discharged + timedelta(days=day)),
        )
        workflow.begin(follow_up, "plan", actor=actor, details=facts_of(follow_up), due_at=end_of(follow_up.due_on))
    return moved


def follow_with(referral: Referral, unit: int, *, actor: Actor) -> list[int]:
    """Who follows up besides the receiver, with this unit: it sees the patient for this return as the receiver does."""
    if unit == referral.receiver_id or unit in referral.followers:
        return list(referral.followers)
    packet.open_home_sight(referral, organization_id=unit, aim=referral.goes_to, actor=actor)
    return [*referral.followers, unit]


def leave_if_idle(referral: Referral, unit: int, *, actor: Actor) -> bool:
    """A village from whose hands the last follow-up was taken sees the case no more; whether it left.

    Who has followed up, or asked the ward, took part: it learns how the case ends, and is reachable like the others.
    """
    if unit not in referral.followers:
        return False
    holds = FollowUp.objects.filter(referral_id=referral.pk, unit_id=unit).exclude(state="cancelled").exists()
    if holds or CaseQuestion.objects.filter(referral_id=referral.pk, asker_id=unit).exists():
        return False
    access.close_for_unit(
        resident_id=referral.resident_id,
        reason=queries.RETURN,
        episode=referral.shown_under,
        organization_id=unit,
        actor=actor,
    )
    return True


def _kept(referral: Referral) -> Any:
    """The bed that is kept for the patient still; a keeping that ran out keeps nothing."""
    kept = bed_queries.kept_for(reference=referral.subject)
    return kept.key if kept is not None else None


def _time_problems(expected: datetime, *, now: datetime) -> dict[str, object]:
    if now < expected <= now + LATEST_ARRIVAL:
        return {}
    return {"expected_at": _("到达时间应晚于现在，且在 30 天之内。")}


def _bed_problems(referral: Referral, bed_key: Any) -> dict[str, object]:
    goes = down_aims.AIMS[referral.goes_to]
    if bed_key or not goes.bed:
        return {}
    board = bed_queries.free_count(organization_ids=[referral.receiver_id or 0], kinds=goes.wards)
    # A unit without a board arranges its beds by itself.
    return {"bed": _("请从床位看板选择一张空床；没有空床时请登记“无法承接”。")} if board else {}


def facts_of(follow_up: FollowUp) -> dict[str, Any]:
    """What every event of a follow-up carries."""
    referral = follow_up.referral
    return {**details_of(referral), "referral": referral.subject, "day": follow_up.day, "unit": follow_up.unit_id}


def end_of(day: date) -> datetime:
    """The last moment of a day."""
    return datetime.combine(day, datetime.max.time(), tzinfo=timezone.get_current_timezone())
