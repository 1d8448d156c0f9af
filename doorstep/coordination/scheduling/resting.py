"""What a stop means for the days that are not laid out yet: they rest, and follow their week again when the clinic is resumed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models.functions import TruncDate
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_queries, days
from doorstep.coordination.scheduling.hours import WHOLE_DAY, Hours
from doorstep.coordination.scheduling.models import DayException, RestingHours, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA

# By this the days that a stop put to rest are known from those that somebody entered.
_BY_A_STOP = "停诊："


def rest(*, schedule: Schedule, since: datetime, until: datetime, reason: str, hours: Hours | None = None) -> int:
    """Let the whole days of a time, or these hours of them, rest where the template has a visit and nothing is laid out yet.

    Returns how many days.
    """
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
    open_days = [day for day in _between(first, last) if day not in laid]
    if hours is not None:
        return _rest_hours(schedule, template, open_days, hours, reason)
    resting = [
        DayException(schedule=schedule, day=day, act=DayException.Act.REST, reason=f"{_BY_A_STOP}{reason}"[:200])
        for day in open_days
        if day not in template.exceptions and days.plan_of(template, day).sessions
    ]
    DayException.objects.bulk_create(resting, ignore_conflicts=True)
    return len(resting)


def _rest_hours(
    schedule: Schedule, template: days.Template, open_days: Iterable[date], hours: Hours, reason: str
) -> int:
    resting = []
    for day in open_days:
        plan = days.plan_of(template, day)
        starts = (start for one in plan.sessions for start, _end in days.slots_of(one, day, plan.off))
        if any(hours.hold(start.time()) for start in starts):
            resting.append(
                RestingHours(
                    schedule=schedule,
                    day=day,
                    starts=hours.starts,
                    ends=hours.ends,
                    reason=f"{_BY_A_STOP}{reason}"[:200],
                )
            )
    RestingHours.objects.bulk_create(resting, ignore_conflicts=True)
    return len(resting)


def work_again(*, schedule: Schedule, since: datetime, until: datetime, hours: Hours | None = None) -> list[date]:
    """Let what a stop put to rest follow its week again, on whole days or in these hours of them; returns the days.

    Of what rested longer than these hours the remainder goes on resting.
    """
    first, last = _whole_days(since, until)
    if last < first:
        return []
    again = hours or WHOLE_DAY
    resting = DayException.objects.filter(
        schedule=schedule, act=DayException.Act.REST, reason__startswith=_BY_A_STOP, day__range=(first, last)
    )
    touched = [(one.day, one.reason, WHOLE_DAY) for one in resting]
    partly = RestingHours.objects.filter(
        schedule=schedule, day__range=(first, last), starts__lt=again.ends, ends__gt=again.starts
    )
    touched += [(one.day, one.reason, Hours(one.starts, one.ends)) for one in partly]
    left = [
        RestingHours(schedule=schedule, day=day, starts=more.starts, ends=more.ends, reason=reason)
        for day, reason, span in touched
        for more in span.without(again)
    ]
    resting.delete()
    partly.delete()
    RestingHours.objects.bulk_create(left, ignore_conflicts=True)
    return sorted({day for day, _reason, _span in touched})


@dataclass(slots=True)
class Rest:
    """A stretch of days that a stop put to rest: `days` on which the template has a clinic, and the hours where it is not the whole day."""

    schedule: Schedule
    first: date
    last: date
    days: int
    reason: str
    hours: Hours | None = None


def entered(exceptions: Iterable[DayException]) -> list[DayException]:
    """Of the exceptions from today on those that somebody entered."""
    today = timezone.localdate()
    return [one for one in exceptions if one.day >= today and not one.reason.startswith(_BY_A_STOP)]


def resting_of(*, organization_id: int) -> list[Rest]:
    """What stops put to rest of a unit's schedules from today on, by stretches of days."""
    of_unit = {"schedule__organization_id": organization_id, "day__gte": timezone.localdate()}
    named = ("schedule__department", "schedule__practitioner", "schedule__facility")
    return stretches(
        DayException.objects.filter(**of_unit).select_related(*named),
        RestingHours.objects.filter(**of_unit).select_related(*named),
    )


def stretches(
    exceptions: Iterable[DayException], partly: Iterable[RestingHours], *, schedule: Schedule | None = None
) -> list[Rest]:
    """The days and hours that stops put to rest from today on, a line for each stretch; `schedule` where all are of one."""
    today = timezone.localdate()
    by_stops = (one for one in exceptions if one.reason.startswith(_BY_A_STOP))
    lines: list[tuple[DayException | RestingHours, Hours | None]] = [
        (one, None) for one in by_stops if one.day >= today
    ]
    lines += [(one, Hours(one.starts, one.ends)) for one in partly if one.day >= today]
    lines.sort(key=lambda line: (line[0].schedule_id, line[1] or WHOLE_DAY, line[0].reason, line[0].day))
    rests: list[Rest] = []
    for one, hours in lines:
        before = rests[-1] if rests else None
        if before is not None and _is_alike(before, one, hours):
            before.last, before.days = one.day, before.days + 1
        else:
            rests.append(Rest(schedule or one.schedule, one.day, one.day, 1, one.reason, hours))
    return sorted(rests, key=lambda rest: (rest.first, rest.schedule.pk, rest.hours or WHOLE_DAY))


def _is_alike(before: Rest, one: DayException | RestingHours, hours: Hours | None) -> bool:
    return (before.schedule.pk, before.hours, before.reason) == (one.schedule_id, hours, one.reason)


def _whole_days(since: datetime, until: datetime) -> tuple[date, date]:
    """The first and the last day that lie in a time with all their hours; the last before the first where none does."""
    begins, ends = since.astimezone(CHINA), until.astimezone(CHINA)
    first = begins.date() if begins.time() == time() else begins.date() + timedelta(days=1)
    return first, ends.date() - timedelta(days=1)


def _between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
