"""Reads of templates: what a schedule holds on the days to come, and who shares its doctor, room or machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import calendar_queries, days
from doorstep.coordination.scheduling.models import DayException, Facility, Schedule, Slot, VisitKind, WeeklySession
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session of a day as it will be laid out: its visits, and how many places each quota gets in all."""

    session: days.Session
    slots: tuple[tuple[datetime, datetime], ...]
    places: dict[str, int]

    @property
    def total(self) -> int:
        """Places of all visits."""
        return len(self.slots) * sum(self.places.values())


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A day of the preview: what the template holds, and how many slots stand there already."""

    plan: days.DayPlan
    sessions: tuple[PlannedSession, ...]
    made: int

    @property
    def total(self) -> int:
        """Places of the day."""
        return sum(one.total for one in self.sessions)


def template_of(schedule: Schedule, *, more: Sequence[days.Session] = ()) -> days.Template:
    """A schedule's template; `more` are sessions that are not saved yet."""
    saved = [session_of(one) for one in WeeklySession.objects.filter(schedule_id=schedule.pk)]
    return days.Template(
        sessions=[*saved, *more],
        exceptions=dict(DayException.objects.filter(schedule_id=schedule.pk).values_list("day", "weekday")),
        rests_on_holidays=schedule.holidays == Schedule.Holidays.REST,
        makeup_as=schedule.makeup_as,
        entered=calendar_queries.entered(),
    )


def session_of(row: WeeklySession) -> days.Session:
    """A saved session as the rules take it."""
    return days.Session(
        id=row.pk,
        weekday=row.weekday,
        starts=row.starts,
        ends=row.ends,
        minutes=row.minutes,
        before=row.before_minutes,
        after=row.after_minutes,
        only_on=row.only_on,
        since=row.since,
        until=row.until,
        places=row.places(),
        kind_id=row.kind_id,
    )


def preview(schedule: Schedule, *, first: date, last: date, more: Sequence[days.Session] = ()) -> list[PlannedDay]:
    """What the template makes from the first day to the last, a line per day, in three queries."""
    template = template_of(schedule, more=more)
    made = {
        row["starts_at__date"]: row["n"]
        for row in Slot.objects.filter(schedule_id=schedule.pk, starts_at__date__range=(first, last))
        .values("starts_at__date")
        .annotate(n=Count("id"))
    }
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        plan = days.plan_of(template, day)
        sessions = tuple(
            PlannedSession(one, tuple(days.slots_of(one, day)), dict(one.places or {})) for one in plan.sessions
        )
        found.append(PlannedDay(plan, sessions, made.get(day, 0)))
    return found


def shared_schedules(schedule: Schedule) -> list[int]:
    """The schedules that take the same doctor, room or machine, this one included."""
    same = Q(pk=schedule.pk)
    if schedule.practitioner_id is not None:
        same |= Q(practitioner_id=schedule.practitioner_id)
    if schedule.facility_id is not None:
        same |= Q(facility_id=schedule.facility_id)
    return list(Schedule.objects.filter(same).values_list("id", flat=True))


def exceptions_of(*, schedule_id: int, since: date) -> list[DayException]:
    """The exceptions of a schedule from a day on."""
    return list(DayException.objects.filter(schedule_id=schedule_id, day__gte=since).order_by("day"))


def facilities(*, organization_id: int) -> list[Facility]:
    """The rooms and machines of a unit."""
    return list(
        Facility.objects.filter(organization_id=organization_id)
        .select_related("department")
        .order_by("department__code", "kind", "name")
    )


def visit_kinds(*, organization_id: int, department_id: int | None = None) -> list[VisitKind]:
    """The kinds of visit of a unit, or of one of its departments."""
    found = VisitKind.objects.filter(department__organization_id=organization_id).select_related("department")
    if department_id is not None:
        found = found.filter(department_id=department_id)
    return list(found.order_by("department__code", "name"))


def stop_choices(*, organization_id: int) -> list[tuple[str, str]]:
    """Whom or what a stop may concern: each department, doctor, room and machine that has a schedule."""
    choices: dict[str, str] = {}
    for schedule in _active(organization_id):
        choices[f"department:{schedule.department_id}"] = f"{_('科室')} · {schedule.department.name}"
        if schedule.practitioner is not None:
            choices[f"practitioner:{schedule.practitioner_id}"] = f"{_('医生')} · {schedule.practitioner.name}"
        if schedule.facility is not None:
            choices[f"facility:{schedule.facility_id}"] = (
                f"{_(schedule.facility.get_kind_display())} · {schedule.facility.name}"
            )
    return sorted(choices.items(), key=lambda one: (one[0].partition(":")[0], one[1]))


def schedules_of(*, scope: str, actor: Actor) -> list[Schedule]:
    """The actor's schedules that a scope names: "department:7", "practitioner:3", "facility:9", "schedule:12"."""
    name, _colon, number = scope.partition(":")
    column = {
        "department": "department_id",
        "practitioner": "practitioner_id",
        "facility": "facility_id",
        "schedule": "id",
    }
    if name not in column or not number.isdigit():
        return []
    return list(
        Schedule.objects.filter(organization_id__in=actor.reach, **{column[name]: int(number)})
        .select_related("department", "practitioner", "facility")
        .order_by("id")
    )


def due_schedules(*, now: datetime) -> list[Schedule]:
    """Schedules with days to release by themselves; others' locked rows are left out."""
    found = Schedule.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        is_active=True, release_days__isnull=False
    )
    today = now.astimezone(CHINA).date()
    return [
        schedule
        for schedule in found.order_by("id")
        if schedule.released_until is None or schedule.released_until < last_due(schedule, now=now, today=today)
    ]


def last_due(schedule: Schedule, *, now: datetime, today: date) -> date:
    """The last day whose slots are due for release."""
    ahead = schedule.release_days or 0
    day = today + timedelta(days=ahead)
    if days.released_at(day, days_before=ahead, at=schedule.release_at) > now:
        day -= timedelta(days=1)
    return day


def _active(organization_id: int) -> Iterable[Schedule]:
    return (
        Schedule.objects.filter(organization_id=organization_id, is_active=True)
        .select_related("department", "practitioner", "facility")
        .order_by("department__code", "id")
    )
