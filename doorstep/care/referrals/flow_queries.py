"""How patients flow between units: counts, waits, clocks, reasons and leakage, each down to its cases.

Counted over the referrals that an actor's units sent, took or got back, under the system's own purpose: whoever manages flows need
not see records, and then learns no names.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from doorstep.care.referrals.flow_case_queries import FIRST_LOOK, REASONS, forgotten, refusable
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.states import ENDED
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.workflow import catalogue
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.organizations import queries as organizations

PERIODS = {
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=90),
    "year": timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class Wait:
    """A waiting time: how many cases, median and ninetieth percentile in seconds (None without cases)."""

    count: int
    median: float | None
    ninetieth: float | None


@dataclass(frozen=True, slots=True)
class Flow:
    """How many patients went from one unit to another."""

    source_id: int
    source: str
    target_id: int
    target: str
    count: int
    direction: str

    @property
    def what(self) -> str:
        """The figure whose cases these are: one direction between two units, or to one place outside the network."""
        return f"flow:{self.source_id}-{self.target_id}-{self.direction}" + (
            "" if self.target_id else f"|{self.target}"
        )


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the board of flows shows for a period."""

    stages: list[tuple[str, int, int]]  # state, open now, overdue now
    directions: dict[str, int]
    flows: list[Flow]
    first_wait: Wait
    second_wait: Wait
    clocks: list[worklist.StageTimes]
    reasons: dict[str, list[tuple[str, int]]]
    leakage: list[tuple[str, str, int]]  # destination, reason, count
    dark: int
    refused_down: list[tuple[str, int]]


# One pass over the referrals of a period and those still open: first one line per kind of referral, then every figure of these lines.
_COUNTS = """
WITH mine AS MATERIALIZED (
  SELECT state, direction, source_id, CASE WHEN direction = 'down' THEN receiver_id ELSE target_id END AS goal_id,
         outside_name, outside_reason, return_code, decline_code, back_code, offer_refusal, created_at >= %(since)s AS fresh,
         count(*)::int AS n
    FROM referrals_referral
   WHERE (created_at >= %(since)s OR NOT state = ANY (%(ended)s))
     AND (source_id = ANY (%(reach)s) OR target_id = ANY (%(reach)s) OR receiver_id = ANY (%(reach)s))
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SELECT 'stage' AS figure, state AS code, '' AS more, 0::bigint AS source_id, 0::bigint AS goal_id, sum(n)::int AS n
  FROM mine WHERE NOT state = ANY (%(ended)s) GROUP BY state
UNION ALL SELECT 'direction', direction, '', 0, 0, sum(n)::int FROM mine WHERE fresh AND state <> 'draft' GROUP BY direction
UNION ALL SELECT 'return', return_code, '', 0, 0, sum(n)::int FROM mine WHERE fresh AND return_code <> '' GROUP BY return_code
UNION ALL SELECT 'decline', decline_code, '', 0, 0, sum(n)::int FROM mine WHERE fresh AND decline_code <> '' GROUP BY decline_code
UNION ALL SELECT 'back', back_code, '', 0, 0, sum(n)::int FROM mine WHERE fresh AND back_code <> '' GROUP BY back_code
UNION ALL SELECT 'offer', offer_refusal, '', 0, 0, sum(n)::int FROM mine WHERE fresh AND offer_refusal <> '' GROUP BY offer_refusal
UNION ALL SELECT 'outside', outside_name, outside_reason, 0, 0, sum(n)::int FROM mine WHERE fresh AND direction = 'out'
  GROUP BY outside_name, outside_reason
UNION ALL (SELECT 'flow', direction, max(outside_name), source_id, coalesce(goal_id, 0), sum(n)::int FROM mine
  WHERE fresh AND state <> 'draft' GROUP BY direction, source_id, coalesce(goal_id, 0),
        CASE WHEN goal_id IS NULL THEN outside_name END ORDER BY sum(n) DESC LIMIT 600)
UNION ALL SELECT 'late', substr(kind, 10), '', 0, 0, count(*)::int FROM worklist_task
  WHERE closed_at IS NULL AND level = 0 AND due_at <= %(now)s AND kind LIKE 'referral.%%' AND organization_id = ANY (%(reach)s)
  GROUP BY kind
"""

# Who is admitted at the first look has not waited a second time.
_WAITS = """
SELECT count(*) FILTER (WHERE w1 IS NOT NULL)::int,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY w1)::float, percentile_cont(0.9) WITHIN GROUP (ORDER BY w1)::float,
       count(*) FILTER (WHERE w2 IS NOT NULL)::int,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY w2)::float, percentile_cont(0.9) WITHIN GROUP (ORDER BY w2)::float
  FROM (SELECT extract(epoch FROM treated_at - submitted_at) AS w1, CASE WHEN admitted_at >= treated_at + %(first_look)s THEN extract(epoch FROM admitted_at - treated_at) END AS w2
          FROM referrals_referral
         WHERE created_at >= %(since)s AND treated_at IS NOT NULL AND direction <> 'down'
           AND (source_id = ANY (%(reach)s) OR target_id = ANY (%(reach)s) OR receiver_id = ANY (%(reach)s))) AS waits
"""


def since_of(period: str) -> datetime:
    """When a period began that ends now."""
    return timezone.now() - PERIODS[period]


def scope_of(actor: Actor) -> str:
    """A fingerprint of the units over which an actor's board is counted."""
    units = ",".join(map(str, sorted(actor.reach)))
    return hashlib.blake2b(f"{actor.consortium_id}:{units}".encode(), digest_size=16).hexdigest()


def board_to(found: Board) -> dict[str, Any]:
    """A board as plain values, to be kept."""
    return asdict(found)


def board_from(kept: dict[str, Any]) -> Board:
    """A kept board."""
    return Board(
        directions=kept["directions"],
        dark=kept["dark"],
        stages=[(code, count, late) for code, count, late in kept["stages"]],
        leakage=[(name, code, count) for name, code, count in kept["leakage"]],
        refused_down=[(code, count) for code, count in kept["refused_down"]],
        reasons={kind: [(code, count) for code, count in kept["reasons"].get(kind, [])] for kind in REASONS},
        flows=[Flow(**one) for one in kept["flows"]],
        first_wait=Wait(**kept["first_wait"]),
        second_wait=Wait(**kept["second_wait"]),
        clocks=[worklist.StageTimes(**one) for one in kept["clocks"]],
    )


def board(*, actor: Actor, period: str) -> Board:
    """The board of a period, counted now."""
    since = timezone.now() - PERIODS[period]
    now = timezone.now()
    clocks = [
        one
        for one in worklist.stage_times(since=since, until=now, actor=actor, moot=catalogue.moot_ways())
        if one.kind.partition(".")[0] in ("referral", "follow-up", "case-question", "down-proposal")
    ]
    facts = {
        "since": since,
        "now": now,
        "reach": list(actor.reach),
        "ended": list(ENDED),
        "first_look": FIRST_LOOK,
    }
    with for_purpose(Purpose.INDICATORS, actor):
        counts = _counts(facts)
        first, second = _waits(facts)
        return Board(
            stages=_stages(counts),
            directions={one.code: one.count for one in counts.get("direction", [])},
            flows=_named(counts.get("flow", [])),
            first_wait=first,
            second_wait=second,
            clocks=clocks,
            reasons={kind: _top(counts.get(kind, [])) for kind in REASONS},
            leakage=sorted(
                ((one.code, one.more, one.count) for one in counts.get("outside", [])), key=lambda row: -row[2]
            ),
            dark=_dark(actor).count(),
            refused_down=_refused_down(since, actor),
        )


@dataclass(frozen=True, slots=True)
class _Count:
    """One line of `_COUNTS`."""

    code: str
    more: str
    source_id: int
    goal_id: int
    count: int


def _dark(actor: Actor) -> QuerySet[Referral]:
    """Open referrals that nobody has to do anything about, as the house's watch has found them: there must be none."""
    reach = list(actor.reach)
    mine = Referral.objects.filter(Q(source_id__in=reach) | Q(target_id__in=reach) | Q(receiver_id__in=reach))
    return forgotten(mine)


def _counts(facts: dict[str, Any]) -> dict[str, list[_Count]]:
    found: dict[str, list[_Count]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, facts)
        for figure, *row in cursor.fetchall():
            found.setdefault(figure, []).append(_Count(*row))
    return found


def _stages(counts: dict[str, list[_Count]]) -> list[tuple[str, int, int]]:
    now, late = ({one.code: one.count for one in counts.get(name, [])} for name in ("stage", "late"))
    return [(one.code, now[one.code], late.get(one.code, 0)) for one in Referral.machine.states if one.code in now]


def _top(lines: list[_Count]) -> list[tuple[str, int]]:
    return sorted(((one.code, one.count) for one in lines), key=lambda pair: -pair[1])


def _named(lines: list[_Count]) -> list[Flow]:
    names = organizations.names(ids=[key for one in lines for key in (one.source_id, one.goal_id) if key])
    return [
        Flow(
            source_id=one.source_id,
            source=names.get(one.source_id, ""),
            target_id=one.goal_id,
            target=names.get(one.goal_id, "") if one.goal_id else one.more,
            count=one.count,
            direction=one.code,
        )
        for one in sorted(lines, key=lambda one: -one.count)
    ]


def _refused_down(since: datetime, actor: Actor) -> list[tuple[str, int]]:
    counted = Counter[str]()
    for ward, receivers in refusable(list(actor.reach), since).values_list("ward_code", "receiver_codes"):
        counted.update([*([ward] if ward else []), *(one["code"] for one in receivers)])
    return counted.most_common()


def _waits(facts: dict[str, Any]) -> tuple[Wait, Wait]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, facts)
        row: Sequence[Any] = cursor.fetchone() or (0, None, None, 0, None, None)
    return Wait(*row[:3]), Wait(*row[3:])
