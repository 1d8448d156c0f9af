"""The division of places: shares of units, the release rule, and the tick that releases what nobody took."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import quota_queries, sharing, sinking
from doorstep.coordination.scheduling.events import DivisionChanged, PlacesSunk
from doorstep.coordination.scheduling.models import QuotaDecision, QuotaShare, SinkStep
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import CHINA, Quota
from doorstep.coordination.scheduling.sinking import Step
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.people.organizations.models import Department

# A step moves what is still free; what is held meanwhile follows at the next tick, when it was given back.
_SINK = """
UPDATE scheduling_place q
   SET quota = %(to)s, origin_organization_id = NULL, sunk_at = %(now)s,
       given_quota = coalesce(nullif(q.given_quota, ''), q.quota)
  FROM scheduling_slot s
 WHERE s.id = q.slot_id AND s.organization_id = %(organization)s AND s.stopped_at IS NULL
   AND s.starts_at > %(now)s AND s.starts_at < %(before)s
   AND (q.state = 'free' OR (q.state = 'held' AND q.held_until <= %(now)s)) AND NOT q.is_extra
   AND coalesce(nullif(q.given_quota, ''), q.quota) = %(quota)s
   AND q.quota = ANY(%(earlier)s) AND (q.quota <> %(to)s OR q.origin_organization_id IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """A unit's line of a proposal as it was shown when somebody decided on it."""

    unit: int
    name: str
    given: int
    need: float
    proposed: int
    reason: str


def sink(*, actor: Actor, now: datetime | None = None) -> int:
    """Release what nobody took, step by step by every hospital's rule, as the system; returns how many places moved."""
    moment = now or timezone.now()
    return sum(
        _sink_house(organization_id, steps, actor, moment)
        for organization_id, steps in quota_queries.rules_in_force(now=moment).items()
    )


@transaction.atomic
def set_shares(
    *, department_id: int, quota: str, weights: Mapping[int, int], since: date, reason: str, actor: Actor
) -> int:
    """Divide a department's places of one quota among units by weight from a day on; returns how many units share.

    Earlier shares end on that day. Places that were laid out for that day or later and that nobody has are dealt anew; who is booked
    or kept a place keeps it.
    """
    department = _department(department_id, actor)
    if quota not in (Quota.COMMUNITY, Quota.CONTRACT, Quota.REFERRAL):
        raise Refused(_("只有社区号、签约号和转诊号可以分到机构。"))
    _check_to_come(since)
    wrong = [weight for weight in weights.values() if not 1 <= weight <= 1000]
    if wrong:
        raise Refused(_("份额不正确。"), fields={"weights": _("每个机构的份额填 1 到 1000 的整数。")})
    held = QuotaShare.objects.filter(department=department, quota=quota)
    held.filter(since__gte=since).delete()
    held.filter(until__isnull=True).update(until=since)
    held.filter(until__gt=since).update(until=since)
    QuotaShare.objects.bulk_create(
        [
            QuotaShare(
                department=department,
                quota=quota,
                organization_id=organization_id,
                weight=weight,
                since=since,
                reason=reason.strip()[:400],
                decided_by_id=actor.user_id,
            )
            for organization_id, weight in weights.items()
        ]
    )
    moved = sharing.deal_again(department_id=department.pk, quota=quota, since=since)
    facts: dict[str, object] = {
        "quota": quota,
        "moved": moved,
        "since": since.isoformat(),
        "weights": {str(unit): one for unit, one in weights.items()},
    }
    _tell(department, facts, actor)
    return len(weights)


@transaction.atomic
def decide(
    *,
    department_id: int,
    quota: str,
    since: date,
    proposal: Sequence[ProposedLine],
    weights: Mapping[int, int] | None,
    reason: str,
    actor: Actor,
) -> QuotaDecision:
    """Decide on a proposal: take it into force by `weights`, or a change of it with a reason, or refuse it (None) with a reason.

    The proposal is kept beside the decision, so that a month later one can read what was proposed and what was done.
    """
    department = _department(department_id, actor)
    # Also what is refused: a month that has begun is not proposed any more.
    _check_to_come(since)
    if weights is None:
        if not reason.strip():
            raise Refused(_("请填写不采纳的原因。"), fields={"reason": _("请填写不采纳的原因。")})
        verdict = QuotaDecision.Verdict.REFUSED
    else:
        changed = _changed(proposal, weights)
        if changed and not reason.strip():
            raise Refused(
                _("请填写改动的原因。"),
                fields={"reason": _("请在“说明”中填写改动建议的原因（建议 → 改为）：%(lines)s。") % {"lines": changed}},
            )
        set_shares(department_id=department_id, quota=quota, weights=weights, since=since, reason=reason, actor=actor)
        taken = any(line.proposed for line in proposal) and not changed
        verdict = QuotaDecision.Verdict.ACCEPTED if taken else QuotaDecision.Verdict.CHANGED
    lines = [{**asdict(line), "decided": None if weights is None else weights.get(line.unit, 0)} for line in proposal]
    made = QuotaDecision.objects.create(
        department=department,
        quota=quota,
        since=since,
        verdict=verdict,
        reason=reason.strip()[:400],
        lines=[line for line in lines if line["proposed"] or line["decided"]],
        decided_by_id=actor.user_id,
        decided_by_name=actor.display_name[:60],
    )
    facts = {"verdict": verdict.value, "quota": quota, "since": since.isoformat(), "reason": made.reason}
    audit.record(action="quota.decide", actor=actor, subject=f"department/{department.key}", details=facts)
    return made


@transaction.atomic
def set_sink_rule(*, organization_id: int, steps: Sequence[Step], actor: Actor) -> None:
    """Change a hospital's release rule; without steps the platform's default holds again."""
    actor.check(Permission.QUOTA_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
    rank = [Quota.OWN, Quota.COMMUNITY, Quota.CONTRACT, Quota.REFERRAL, Quota.OPEN]
    for step in steps:
        if step.to_quota != step.quota and (step.quota == Quota.OPEN or step.to_quota == Quota.OWN):
            raise Refused(_("号源只能向上释放：不能从公开收回，也不能退给本院。"))
    seen = {(step.quota, step.to_quota) for step in steps}
    if len(seen) != len(steps):
        raise Refused(_("同一类号源放给同一对象只能有一步。"))
    SinkStep.objects.filter(organization_id=organization_id).delete()
    SinkStep.objects.bulk_create(
        [
            SinkStep(
                organization_id=organization_id,
                quota=step.quota,
                to_quota=step.to_quota,
                days_before=step.days_before,
                at=step.at,
            )
            for step in sorted(steps, key=lambda one: rank.index(Quota(one.quota)))
        ]
    )
    audit.record(
        action="quota.rule",
        actor=actor,
        subject=f"organization/{organization_id}",
        details={"rule": sinking.rule_sentences(steps)},
    )


@transaction.atomic
def _sink_house(organization_id: int, steps: Sequence[Step], actor: Actor, now: datetime) -> int:
    moved: dict[str, int] = {}
    today = now.astimezone(CHINA).date()
    for step in sinking.order(steps):
        due_today = datetime.combine(today, step.at, tzinfo=CHINA) <= now
        before_day = today + timedelta(days=step.days_before + (1 if due_today else 0))
        earlier = [step.quota, *(one.to_quota for one in sinking.order(steps) if one.quota == step.quota)]
        with connection.cursor() as cursor:
            cursor.execute(
                _SINK,
                {
                    "to": step.to_quota,
                    "now": now,
                    "organization": organization_id,
                    "before": datetime.combine(before_day, datetime.min.time(), tzinfo=CHINA),
                    "quota": step.quota,
                    "earlier": earlier[: earlier.index(step.to_quota, 0 if step.to_quota == step.quota else 1) + 1],
                },
            )
            if cursor.rowcount:
                moved[f"{step.quota}>{step.to_quota}"] = int(cursor.rowcount)
    if moved:
        events.publish(
            PlacesSunk(
                subject=f"organization/{organization_id}",
                subject_id=organization_id,
                organization_id=organization_id,
                details={"moved": moved},
            )
        )
    return sum(moved.values())


def _changed(proposal: Sequence[ProposedLine], weights: Mapping[int, int]) -> str:
    """What somebody makes of a proposal, a unit with what was proposed and what is given; "" for nothing, or where nothing was proposed."""
    if not any(line.proposed for line in proposal):
        return ""
    given = [(line, weights.get(line.unit, 0)) for line in proposal]
    return "；".join(f"{line.name} {line.proposed} → {share}" for line, share in given if share != line.proposed)


def _check_to_come(since: date) -> None:
    if since <= timezone.localdate():
        raise Refused(_("生效日期不正确。"), fields={"since": _("新的分配从明天或以后生效。")})


def _department(department_id: int, actor: Actor) -> Department:
    actor.check(Permission.QUOTA_MANAGE)
    found = Department.objects.filter(id=department_id).first()
    if found is None or not actor.reaches(found.organization_id):
        raise NotFound()
    return found


def _tell(department: Department, facts: dict[str, object], actor: Actor) -> None:
    audit.record(action="quota.divide", actor=actor, subject=f"department/{department.key}", details=facts)
    events.publish(
        DivisionChanged(
            subject=f"department/{department.key}",
            subject_id=department.pk,
            organization_id=department.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
