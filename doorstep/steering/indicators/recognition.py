"""The share of recognised results (互认率): per unit and month, by the ground of a repeat, down to the very decisions.

A case is shown by its day, unit and kind of examination, never by the resident or the doctor's own words.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from doorstep.coordination.recognition import queries as recognition
from doorstep.coordination.recognition.rules import KINDS, REASONS
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.people.organizations import queries as organizations
from doorstep.steering.indicators.permissions import Permission

# How many months a page looks back over, by its name in the address.
SPANS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One unit or one month: how many results stood, how many were recognised, and their share."""

    name: str
    key: str
    standing: int
    recognised: int

    @property
    def repeated(self) -> int:
        """Examinations that were made again."""
        return self.standing - self.recognised

    @property
    def share(self) -> float:
        """互认率: recognised by all results that stood."""
        return self.recognised / self.standing


@dataclass(frozen=True, slots=True)
class Shares:
    """The figures of a span: whole, by unit (most decisions first), by month (newest first), and the grounds of repeats."""

    whole: ShareLine | None
    units: list[ShareLine]
    months: list[ShareLine]
    reasons: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision behind a figure."""

    at: datetime
    organization: str
    kind: str
    verdict: str
    repeated: bool
    reason: str
    unit: str
    age_days: int


def span_of(name: str, now: datetime) -> tuple[datetime, datetime]:
    """From the first day of the span's oldest month in China until now."""
    first = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _month in range(SPANS[name] - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, now


def list_shares(*, actor: Actor, span: str, now: datetime | None = None) -> Shares:
    """The shares of the actor's units over a span."""
    actor.check(Permission.INDICATOR_VIEW)
    since, until = span_of(span, now or timezone.now())
    reach = list(actor.reach)
    found = recognition.tallies(since=since, until=until, organization_ids=reach)
    units: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    months: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    for one in found:
        for sums in (units[one.organization_id], months[one.month]):
            sums[0] += one.standing
            sums[1] += one.recognised
    named = {unit.pk: (unit.name, str(unit.key)) for unit in organizations.several(ids=units)}
    by_unit = [ShareLine(*named.get(number, ("", "")), *sums) for number, sums in units.items()]
    by_month = [ShareLine(f"{month:%Y-%m}", "", *sums) for month, sums in months.items()]
    total = [sum(line.standing for line in by_unit), sum(line.recognised for line in by_unit)]
    return Shares(
        whole=ShareLine("", "", *total) if total[0] else None,
        units=sorted(by_unit, key=lambda line: -line.standing),
        months=by_month,
        reasons=[
            (code, REASONS.get(code, code), count)
            for code, count in recognition.reasons_of(since=since, until=until, organization_ids=reach)
        ],
    )


def list_decisions(
    *, actor: Actor, span: str, unit: str = "", verdict: str = "", reason: str = "", now: datetime | None = None
) -> list[DecisionLine]:
    """The decisions behind a figure, newest first, at most 100; those of a unit out of reach are not there."""
    actor.check(Permission.INDICATOR_VIEW)
    since, until = span_of(span, now or timezone.now())
    wanted = set(actor.reach)
    if unit:
        key = organizations.as_uuid(unit)
        if key is None:
            raise NotFound()
        wanted &= {organizations.get_by_key(key).pk}
    found = recognition.decisions(
        since=since, until=until, organization_ids=sorted(wanted), verdict=verdict, reason=reason
    )
    names = organizations.names(ids=[one.organization_id for one in found])
    return [
        DecisionLine(
            at=one.decided_at,
            organization=names.get(one.organization_id, ""),
            kind=KINDS.get(one.kind, one.kind),
            verdict=str(one.get_verdict_display()),
            repeated=bool(one.reason),
            reason=REASONS.get(one.reason, ""),
            unit=one.unit,
            age_days=one.age_days,
        )
        for one in found
    ]
