"""What a stop means for the days that are not laid out yet: they rest, and follow their week again when the clinic is resumed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models.functions import TruncDate
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_queries, days
from doorstep.coordination.scheduling.models import DayException, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA

# By this the days that a stop put to rest are known from those that somebody entered.
_BY_A_STOP = "停诊："


def rest(*, schedule: Schedule, since: datetime, until: datetime, reason: str) -> int:
    """Let the whole days of a time rest on which the template has a clinic and nothing is laid out yet; returns how many."""
    first, last = _whole_days(since, until)
    first = max(first, timezone.localdate() + timedelta(days=1))
    if last < first:
        return 0
    template = clinic_queries.template_of(schedule)
    laid = set(
        Slot.objects.filter(schedule=schedule, starts_at__date__range=(first, last))
        .annotate(day=TruncDate("starts_at"))
        .values_list("day", flat=True)
    )
    resting = [
        DayException(schedule=schedule, day=day, act=DayException.Act.REST, reason=f"{_BY_A_STOP}{reason}"[:200])
        for day in _between(first, last)
        if day not in laid and day not in template.exceptions and days.plan_of(template, day).sessions
    ]
    DayException.objects.bulk_create(resting, ignore_conflicts=True)
    return len(resting)


def work_again(*, schedule: Schedule, since: datetime, until: datetime) -> int:
    """Let the days that a stop put to rest follow their week again; returns how many."""
    first, last = _whole_days(since, until)
    found = DayException.objects.filter(
        schedule=schedule, act=DayException.Act.REST, reason__startswith=_BY_A_STOP, day__range=(first, last)
    )
    return found.delete()[0] if first <= last else 0


@dataclass(slots=True)
class Rest:
    """A stretch of days that a stop put to rest: `days` on which the template has a clinic."""

    first: date
    last: date
    days: int
    reason: str


def told_apart(exceptions: Iterable[DayException]) -> tuple[list[DayException], list[Rest]]:
    """The exceptions that somebody entered, day by day, and those of a stop by stretches."""
    entered: list[DayException] = []
    rests: list[Rest] = []
    for one in exceptions:
        if not one.reason.startswith(_BY_A_STOP):
            entered.append(one)
        elif rests and rests[-1].reason == one.reason:
            rests[-1].last, rests[-1].days = one.day, rests[-1].days + 1
        else:
            rests.append(Rest(one.day, one.day, 1, one.reason))
    return entered, rests


def _whole_days(since: datetime, until: datetime) -> tuple[date, date]:
    """The first and the last day that lie in a time with all their hours; the last before the first where none does."""
    begins, ends = since.astimezone(CHINA), until.astimezone(CHINA)
    first = begins.date() if begins.time() == time() else begins.date() + timedelta(days=1)
    return first, ends.date() - timedelta(days=1)


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
