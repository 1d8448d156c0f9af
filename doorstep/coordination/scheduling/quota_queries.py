"""Reads of the division: rules in force, shares, what every unit made of its share, and next month's proposal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q

from doorstep.coordination.scheduling import sinking
from doorstep.coordination.scheduling.models import Place, QuotaDecision, QuotaShare, SinkStep, Slot
from doorstep.coordination.scheduling.proposing import Proposed, Use, propose, propose_start
from doorstep.coordination.scheduling.sinking import Step
from doorstep.coordination.scheduling.states import TAKEN
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.people.organizations.models import Department, Organization

_TAKEN = str(tuple(str(state) for state in TAKEN))

_WEEKS = f"""
SELECT date_trunc('week', s.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS week,
       coalesce(nullif(q.given_quota, ''), q.quota) AS quota, coalesce(o.name, '') AS unit, q.given_organization_id,
       count(*) AS given,
       count(*) FILTER (WHERE b.id IS NOT NULL AND q.sunk_at IS NULL) AS used,
       count(*) FILTER (WHERE q.sunk_at IS NOT NULL) AS released,
       count(*) FILTER (WHERE q.sunk_at IS NOT NULL AND b.id IS NOT NULL) AS used_after,
       count(*) FILTER (WHERE b.state = 'no-show') AS missed,
       count(*) FILTER (WHERE b.id IS NULL AND s.starts_at < %(now)s) AS wasted
  FROM scheduling_place q
  JOIN scheduling_slot s ON s.id = q.slot_id
  JOIN scheduling_schedule c ON c.id = s.schedule_id
  LEFT JOIN organizations_organization o ON o.id = q.given_organization_id
  LEFT JOIN scheduling_booking b ON b.place_id = q.id AND b.state IN {_TAKEN}
 WHERE s.organization_id = ANY(%(organizations)s) AND (%(department)s::bigint IS NULL OR c.department_id = %(department)s)
   AND s.starts_at >= %(since)s AND s.starts_at < %(until)s AND s.stopped_at IS NULL AND NOT q.is_extra
 GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3
"""

# Of which kind of share a place was, or what was wished for where it was nobody's share.
_KIND = """CASE WHEN {quota} IN ('community', 'contract', 'referral') THEN {quota} WHEN 'referral' = ANY({groups}) THEN 'referral'
       WHEN 'signed' = ANY({groups}) THEN 'contract' ELSE 'community' END"""
_PLACE_KIND = _KIND.format(quota="coalesce(nullif(q.given_quota, ''), q.quota)", groups="b.groups")
_WAIT_KIND = _KIND.format(quota="w.origin", groups="w.groups")
# Whether something of a kind is this division's: its own kind, or one of which the unit has no share, once, with the first it has.
_HERE = "({kind} = %(quota)s OR (NOT {kind} = ANY(u.kinds) AND u.kinds[1] = %(quota)s))"

# What each unit with a share of this kind did in a month. A booking counts for a unit when it was made by the unit or one below it, and in
# one division only: a unit that has shares of two kinds would else seem to need what it took twice.
_USES = f"""
WITH units AS (
  SELECT x.id, ARRAY(SELECT DISTINCT k FROM unnest(array_append(ARRAY(SELECT h.quota FROM scheduling_quotashare h
      WHERE h.department_id = %(department)s AND h.organization_id = x.id AND h.until IS NULL), %(quota)s)) AS k ORDER BY k) AS kinds
    FROM unnest(%(units)s::bigint[]) AS x (id)),
places AS (
  SELECT q.id, q.given_organization_id AS given_to, coalesce(nullif(q.given_quota, ''), q.quota) AS share, q.sunk_at, b.id AS booking,
         b.state, o.path, s.starts_at, b.wanted_since, {_PLACE_KIND} AS kind
    FROM scheduling_place q
    JOIN scheduling_slot s ON s.id = q.slot_id
    JOIN scheduling_schedule c ON c.id = s.schedule_id
    LEFT JOIN scheduling_booking b ON b.place_id = q.id AND b.state IN {_TAKEN}
    LEFT JOIN organizations_organization o ON o.id = b.source_organization_id
   WHERE c.department_id = %(department)s AND s.starts_at >= %(since)s AND s.starts_at < %(until)s AND s.stopped_at IS NULL),
seen AS (
  SELECT u.id AS unit, p.*, p.given_to = u.id AND p.share = %(quota)s AS own, u.id = ANY(p.path) AND {_HERE.format(kind="p.kind")} AS made
    FROM units u CROSS JOIN places p)
SELECT u.id,
       count(*) FILTER (WHERE p.own),
       count(*) FILTER (WHERE p.own AND p.sunk_at IS NULL AND p.booking IS NOT NULL AND p.state <> 'no-show'),
       count(*) FILTER (WHERE p.made AND p.state = 'no-show'),
       count(*) FILTER (WHERE p.own AND (p.sunk_at IS NOT NULL OR p.booking IS NULL)),
       count(*) FILTER (WHERE p.made AND p.state <> 'no-show' AND (p.own IS NOT TRUE OR p.sunk_at IS NOT NULL)),
       (SELECT count(*) FROM scheduling_waitingentry w JOIN organizations_organization x ON x.id = w.source_organization_id
         WHERE w.department_id = %(department)s AND u.id = ANY(x.path) AND {_HERE.format(kind=f"({_WAIT_KIND})")}
           AND (w.state IN ('waiting', 'offered', 'lapsed')) AND w.created_at < %(until)s AND w.last_day >= %(first_day)s),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.starts_at - p.wanted_since) / 86400.0) FILTER (WHERE p.made)
  FROM units u LEFT JOIN seen p ON p.unit = u.id GROUP BY u.id, u.kinds ORDER BY u.id
"""


@dataclass(frozen=True, slots=True)
class WeekLine:
    """What became of a share in a week, in places; `unit` is "" for what was given to no unit in particular."""

    week: date
    quota: str
    unit: str
    unit_id: int | None
    given: int
    used: int
    released: int
    used_after: int
    missed: int
    wasted: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Next month's division of a department's places of one quota, with the month it was computed from."""

    department: Department
    quota: str
    since: date
    until: date
    lines: list[Proposed]
    names: dict[int, str]


def decisions(*, organization_ids: Iterable[int], limit: int = 60) -> list[QuotaDecision]:
    """What was decided on proposals for these units' departments, the newest first."""
    found = QuotaDecision.objects.filter(department__organization_id__in=list(organization_ids))
    return list(found.select_related("department").order_by("-decided_at", "-id")[:limit])


def decided_ahead(*, department: Department, quota: str, today: date) -> QuotaDecision | None:
    """The newest decision on this division that is for a day to come; None when nothing was decided yet."""
    return (
        QuotaDecision.objects.filter(department=department, quota=quota, since__gt=today)
        .order_by("-decided_at", "-id")
        .first()
    )


def rule_of(*, organization_id: int) -> tuple[list[Step], bool]:
    """A hospital's release rule, and whether it is the platform's default."""
    own = [
        Step(row.quota, row.to_quota, row.days_before, row.at)
        for row in SinkStep.objects.filter(organization_id=organization_id)
    ]
    return (sinking.order(own), False) if own else (sinking.order(sinking.DEFAULT), True)


def rules_in_force(*, now: datetime) -> dict[int, list[Step]]:
    """The rule of every hospital that has slots in the days to which rules reach."""
    own: dict[int, list[Step]] = {}
    for row in SinkStep.objects.all():
        own.setdefault(row.organization_id, []).append(Step(row.quota, row.to_quota, row.days_before, row.at))
    reach = max([step.days_before for steps in [*own.values(), sinking.DEFAULT] for step in steps], default=0)
    houses = (
        Slot.objects.filter(starts_at__gt=now, starts_at__lt=now + timedelta(days=reach + 2))
        .values_list("organization_id", flat=True)
        .order_by()
        .distinct()
    )
    return {house: own.get(house, list(sinking.DEFAULT)) for house in houses}


def shares(*, organization_id: int, day: date) -> list[QuotaShare]:
    """The shares of a hospital's departments that hold on a day or will."""
    return list(
        QuotaShare.objects.filter(department__organization_id=organization_id)
        .exclude(until__lte=day)
        .select_related("department", "organization")
        .order_by("department__code", "quota", "since", "-weight", "organization__code")
    )


def units_to_share(*, actor: Actor) -> list[Organization]:
    """The centres that may have a share: the primary units of the county."""
    kinds = (Organization.Kind.TOWNSHIP_CENTER, Organization.Kind.COMMUNITY_CENTER)
    return list(Organization.objects.filter(kind__in=kinds, closed_on__isnull=True).order_by("code"))


def weeks(
    *,
    organization_ids: Iterable[int],
    since: datetime,
    until: datetime,
    now: datetime,
    actor: Actor,
    department_id: int | None,
) -> list[WeekLine]:
    """What became of every share by week, newest week first, counted under the purpose of indicators."""
    values = {
        "organizations": list(organization_ids),
        "department": department_id,
        "since": since,
        "until": until,
        "now": now,
    }
    return [WeekLine(*row) for row in _counted(_WEEKS, values, actor)]


def proposal(*, department: Department, quota: str, since: datetime, until: datetime, actor: Actor) -> Proposal:
    """Compute next month's division from the use, demand and waiting of the days from `since` to `until`."""
    names = dict(
        QuotaShare.objects.filter(department=department, quota=quota, until__isnull=True).values_list(
            "organization_id", "organization__name"
        )
    )
    shared = not names
    values = {
        "units": [unit.pk for unit in units_to_share(actor=actor)] if shared else list(names),
        "department": department.pk,
        "quota": quota,
        "since": since,
        "until": until,
        "first_day": since.date(),
    }
    uses = [
        Use(row[0], row[1], row[2], row[3], row[4], row[5], row[6], _days(row[7]))
        for row in _counted(_USES, values, actor)
    ]
    if shared or not any(use.given for use in uses):
        # Shared until now, or divided so lately that nothing was given by shares yet: last month says nothing of shares.
        count = Place.objects.filter(
            slot__schedule__department=department, slot__starts_at__gte=since, slot__starts_at__lt=until, is_extra=False
        ).filter(Q(given_quota=quota) | Q(given_quota="", quota=quota))
        lines = propose_start(uses, total=count.count())
    else:
        lines = propose(uses, total=sum(use.given for use in uses))
    return Proposal(department, quota, since.date(), until.date(), lines, names)


def _days(value: float | Decimal | None) -> float | None:
    return None if value is None else float(value)


def _counted(statement: str, values: dict[str, Any], actor: Actor) -> list[tuple[Any, ...]]:
    with for_purpose(Purpose.INDICATORS, actor), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
