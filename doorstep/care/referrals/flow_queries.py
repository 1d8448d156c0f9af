"""How patients flow between units: counts, waits, clocks, reasons and leakage, each down to its cases.

Counted over the referrals that an actor's units sent, took or got back, under the system's own purpose: whoever manages flows need
not see records, and then learns no names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.states import ENDED
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.worklist import queries as worklist
from doorstep.kernel.worklist.models import Task

PERIODS = {
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=90),
    "year": timedelta(days=365),
}
SIDES = ("out", "in", "back", "all")
# A page of cases; more go to the file.
CASES = 200
EXPORTED = 20_000


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


_WAITS = """
SELECT count(*) FILTER (WHERE w1 IS NOT NULL)::int,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY w1)::float, percentile_cont(0.9) WITHIN GROUP (ORDER BY w1)::float,
       count(*) FILTER (WHERE w2 IS NOT NULL)::int,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY w2)::float, percentile_cont(0.9) WITHIN GROUP (ORDER BY w2)::float
  FROM (SELECT extract(epoch FROM treated_at - submitted_at) AS w1, extract(epoch FROM admitted_at - treated_at) AS w2
          FROM referrals_referral
         WHERE created_at >= %s AND direction <> 'down'
           AND (source_id = ANY(%s) OR target_id = ANY(%s) OR receiver_id = ANY(%s))) AS waits
"""

_FLOWS = """
SELECT r.source_id, s.name, coalesce(CASE WHEN r.direction = 'down' THEN r.receiver_id ELSE r.target_id END, 0),
       coalesce(t.name, nullif(r.outside_name, ''), ''), count(*)::int, r.direction
  FROM referrals_referral r
  JOIN organizations_organization s ON s.id = r.source_id
  LEFT JOIN organizations_organization t ON t.id = CASE WHEN r.direction = 'down' THEN r.receiver_id ELSE r.target_id END
 WHERE r.created_at >= %s AND r.state <> 'draft'
   AND (r.source_id = ANY(%s) OR r.target_id = ANY(%s) OR r.receiver_id = ANY(%s))
 GROUP BY 1, 2, 3, 4, 6 ORDER BY 5 DESC LIMIT 200
"""


def board(*, actor: Actor, period: str) -> Board:
    """The board of a period; the look is recorded without residents."""
    since = timezone.now() - PERIODS[period]
    audit.record(action="referral.flow", actor=actor, subject=f"flow/{period}")
    now = timezone.now()
    overdue = worklist.open_and_overdue(now=now, actor=actor)
    clocks = [
        one
        for one in worklist.stage_times(since=since, until=now, actor=actor)
        if one.kind.partition(".")[0] in ("referral", "follow-up", "case-question", "down-proposal")
    ]
    with for_purpose(Purpose.INDICATORS, actor):
        rows = _of(actor).filter(created_at__gte=since)
        first, second = _waits(since, actor)
        return Board(
            stages=_stages(actor, overdue),
            directions=_counted(rows.exclude(state="draft"), "direction"),
            flows=_flows(since, actor),
            first_wait=first,
            second_wait=second,
            clocks=clocks,
            reasons={
                "return": _top(rows, "return_code"),
                "decline": _top(rows, "decline_code"),
                "back": _top(rows, "back_code"),
            },
            leakage=_leakage(rows),
            dark=_dark(actor).count(),
            refused_down=_refused_down(since, actor),
        )


def cases(*, actor: Actor, period: str, what: str, limit: int = CASES) -> list[Referral]:
    """The very referrals behind a figure, newest first; `what` is "stage:<state>", "flow:<source>-<target>", "dark", …"""
    since = timezone.now() - PERIODS[period]
    with for_purpose(Purpose.INDICATORS, actor):
        rows = _narrowed(actor, since, what).select_related("source", "target", "receiver", "department")
        return list(rows.order_by("-created_at", "-id")[:limit])


def flows(*, actor: Actor, period: str) -> list[Flow]:
    """Who sent how many to whom in a period."""
    with for_purpose(Purpose.INDICATORS, actor):
        return _flows(timezone.now() - PERIODS[period], actor)


def _of(actor: Actor) -> QuerySet[Referral]:
    reach = list(actor.reach)
    return Referral.objects.filter(Q(source_id__in=reach) | Q(target_id__in=reach) | Q(receiver_id__in=reach))


def _narrowed(actor: Actor, since: datetime, what: str) -> QuerySet[Referral]:
    kind, _colon, value = what.partition(":")
    if kind in _NOW:
        return _NOW[kind](actor, value)
    rows = _of(actor).filter(created_at__gte=since)
    if kind == "flow":
        source, _dash, target = value.partition("-")
        rows = rows.exclude(state="draft").filter(source_id=_whole(source))
        going = Q(direction="down", receiver_id=_whole(target)) | (~Q(direction="down") & Q(target_id=_whole(target)))
        return rows.filter(going) if _whole(target) else rows.filter(target__isnull=True)
    columns = {"return": "return_code", "decline": "decline_code", "back": "back_code", "outside": "outside_reason"}
    if kind in columns:
        return rows.filter(**{columns[kind]: value})
    if kind == "direction":
        return rows.exclude(state="draft").filter(direction=value)
    return rows


def _at_stage(actor: Actor, state: str) -> QuerySet[Referral]:
    return _of(actor).filter(state=state)


def _open(actor: Actor, _value: str) -> QuerySet[Referral]:
    return _of(actor).exclude(state__in=ENDED)


def _overdue(actor: Actor, _value: str) -> QuerySet[Referral]:
    return _of(actor).filter(Exists(_tasks().filter(due_at__lte=timezone.now())))


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _tasks() -> QuerySet[Task]:
    return Task.objects.filter(kind__startswith="referral.", item_id=OuterRef("pk"), closed_at__isnull=True)


def _dark(actor: Actor, _value: str = "") -> QuerySet[Referral]:
    """Open referrals that nobody has to do anything about: there must be none."""
    return _of(actor).exclude(state__in=ENDED).filter(~Exists(_tasks()))


def _stages(actor: Actor, overdue: dict[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    counted = _counted(_of(actor).exclude(state__in=ENDED), "state")
    order = [state.code for state in Referral.machine.states]
    return [(code, counted[code], overdue.get(f"referral.{code}", (0, 0))[1]) for code in order if code in counted]


def _counted(rows: QuerySet[Referral], column: str) -> dict[str, int]:
    with_count = rows.order_by().values_list(column).annotate(count=_count())
    return dict(with_count)


def _top(rows: QuerySet[Referral], column: str) -> list[tuple[str, int]]:
    found = _counted(rows.exclude(**{column: ""}), column)
    return sorted(found.items(), key=lambda pair: -pair[1])


def _leakage(rows: QuerySet[Referral]) -> list[tuple[str, str, int]]:
    out = rows.filter(direction="out").order_by().values_list("outside_name", "outside_reason").annotate(count=_count())
    return sorted(out, key=lambda row: -row[2])


def _refused_down(since: datetime, actor: Actor) -> list[tuple[str, int]]:
    reach = list(actor.reach)
    rows = DownProposal.objects.filter(created_at__gte=since).filter(
        Q(hospital_id__in=reach) | Q(receiver_id__in=reach)
    )
    counted: dict[str, int] = {}
    for ward, receivers in rows.values_list("ward_code", "receiver_codes"):
        for code in [*([ward] if ward else []), *(one["code"] for one in receivers)]:
            counted[code] = counted.get(code, 0) + 1
    return sorted(counted.items(), key=lambda pair: -pair[1])


def _waits(since: datetime, actor: Actor) -> tuple[Wait, Wait]:
    reach = list(actor.reach)
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, [since, reach, reach, reach])
        row: Sequence[Any] = cursor.fetchone() or (0, None, None, 0, None, None)
    return Wait(*row[:3]), Wait(*row[3:])


def _flows(since: datetime, actor: Actor) -> list[Flow]:
    reach = list(actor.reach)
    with connection.cursor() as cursor:
        cursor.execute(_FLOWS, [since, reach, reach, reach])
        return [Flow(*row) for row in cursor.fetchall()]


def _count() -> Any:
    return Count("id")


# Figures of this moment; all others count over the period.
_NOW: dict[str, Callable[[Actor, str], QuerySet[Referral]]] = {
    "stage": _at_stage,
    "open": _open,
    "overdue": _overdue,
    "dark": _dark,
}
