"""Reads of templates: what a schedule holds on the days to come, and who shares its doctor, room or machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import calendar_queries, days
from doorstep.coordination.scheduling.hours import Hours
from doorstep.coordination.scheduling.models import (
    DayException,
    Facility,
    RestingHours,
    RoomTerm,
    Schedule,
    Slot,
    VisitKind,
    WeeklySession,
)
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.kernel.access.actor import Actor
from doorstep.people.organizations.models import Department
from doorstep.people.residents.rules import spell
from doorstep.people.workforce.models import Practitioner

WEEKDAY_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


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
    """A day of the preview: what the template holds, how many slots stand there already, and how many more stand still."""

    plan: days.DayPlan
    sessions: tuple[PlannedSession, ...]
    made: int
    stopped: int = 0
    # When the rule releases it, for a day that is still to be released.
    released_at: datetime | None = None

    @property
    def total(self) -> int:
        """Places of the day."""
        return sum(one.total for one in self.sessions)


@dataclass(frozen=True, slots=True)
class Departures:
    """How a schedule departs from its week: exceptions of days, and hours of days that rest."""

    exceptions: tuple[DayException, ...]
    hours: tuple[RestingHours, ...]


def template_of(
    schedule: Schedule,
    *,
    more: Sequence[days.Session] = (),
    rows: Sequence[WeeklySession] | None = None,
    departures: Departures | None = None,
) -> days.Template:
    """A schedule's template; `more` are sessions that are not saved yet, `rows` and `departures` the saved ones where they were read already."""
    departs = departures or departures_of(schedule_id=schedule.pk)
    found = WeeklySession.objects.filter(schedule_id=schedule.pk) if rows is None else rows
    saved = [session_of(one) for one in found]
    return days.Template(
        sessions=[*saved, *more],
        exceptions={one.day: one.weekday for one in departs.exceptions},
        rests_on_holidays=schedule.holidays == Schedule.Holidays.REST,
        makeup_as=schedule.makeup_as,
        entered=calendar_queries.entered(),
        hours_off=_hours_off(departs),
    )


def departures_of(*, schedule_id: int) -> Departures:
    """The days of a schedule that do not follow its week, and the hours that stops put to rest."""
    return Departures(
        tuple(DayException.objects.filter(schedule_id=schedule_id).order_by("day")),
        tuple(RestingHours.objects.filter(schedule_id=schedule_id).order_by("day", "starts")),
    )


def _hours_off(departures: Departures) -> dict[date, list[Hours]]:
    """The hours that stops put to rest, by their days."""
    found: dict[date, list[Hours]] = {}
    for row in departures.hours:
        found.setdefault(row.day, []).append(Hours(row.starts, row.ends))
    return found


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


def preview(
    schedule: Schedule,
    *,
    first: date,
    last: date,
    more: Sequence[days.Session] = (),
    rows: Sequence[WeeklySession] | None = None,
    departures: Departures | None = None,
) -> list[PlannedDay]:
    """What the template makes from the first day to the last, a line per day; what was read already as in template_of."""
    template = template_of(schedule, more=more, rows=rows, departures=departures)
    made = {
        row["starts_at__date"]: (row["made"], row["stopped"])
        for row in Slot.objects.filter(schedule_id=schedule.pk, starts_at__date__range=(first, last))
        .values("starts_at__date")
        .annotate(
            made=Count("id", filter=Q(stopped_at__isnull=True)), stopped=Count("id", filter=Q(stopped_at__isnull=False))
        )
    }
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        plan = days.plan_of(template, day)
        sessions = tuple(
            PlannedSession(one, tuple(days.slots_of(one, day, plan.off)), dict(one.places or {}))
            for one in plan.sessions
        )
        there, still = made.get(day, (0, 0))
        found.append(PlannedDay(plan, sessions, there, still, _release_of(schedule, day) if sessions else None))
    return found


def _release_of(schedule: Schedule, day: date) -> datetime | None:
    """When the rule of a schedule releases a day; None for one that it has released, or that is released by hand."""
    if not schedule.is_active or schedule.release_days is None or day <= timezone.localdate():
        return None
    if schedule.released_until is not None and day <= schedule.released_until:
        return None
    return max(timezone.now(), days.released_at(day, days_before=schedule.release_days, at=schedule.release_at))


def shared_schedules(schedule: Schedule) -> list[int]:
    """The schedules that take the same doctor, room or machine, this one included."""
    same = Q(pk=schedule.pk)
    if schedule.practitioner_id is not None:
        same |= Q(practitioner_id=schedule.practitioner_id)
    rooms = {schedule.facility_id, *schedule.room_terms.values_list("facility_id", flat=True)} - {None}
    if rooms:
        same |= _in_rooms(rooms)
    return list(Schedule.objects.filter(same).values_list("id", flat=True).distinct())


def schedules_in_room(*, facility_id: int) -> list[int]:
    """The schedules that take place in a room or on a machine today, or will."""
    return list(Schedule.objects.filter(_in_rooms({facility_id})).values_list("id", flat=True).distinct())


def room_terms(*, schedule_id: int) -> list[RoomTerm]:
    """The changes of a schedule's room or machine, the earliest first."""
    return list(RoomTerm.objects.filter(schedule_id=schedule_id).select_related("facility").order_by("since"))


def room_on(schedule: Schedule, day: date, terms: Sequence[RoomTerm]) -> int | None:
    """The room or machine of a schedule on a day to come; `terms` are its changes, the earliest first."""
    held = schedule.facility_id
    for term in terms:
        if term.since <= day:
            held = term.facility_id
    return held


def room_clash(*, schedule: Schedule, facility_id: int, since: date) -> dict[str, str] | None:
    """Who is in a room from a day on at a time of this schedule: `time` and `who`; None when it is free."""
    own = list(WeeklySession.objects.filter(schedule=schedule).exclude(until__lte=since).exclude(only_on__lt=since))
    others = (
        WeeklySession.objects.filter(
            schedule_id__in=schedules_in_room(facility_id=facility_id), schedule__is_active=True
        )
        .exclude(schedule=schedule)
        .exclude(until__lte=since)
        .exclude(only_on__lt=since)
        .select_related("schedule__practitioner", "schedule__facility", "schedule__department")
    )
    for other in others:
        for one in own:
            if (
                one.weekday == other.weekday
                and other.starts < one.ends
                and one.starts < other.ends
                and _meet(one, other)
            ):
                said = f"{_(WEEKDAY_ZH[other.weekday])} {other.starts:%H:%M}"
                return {"time": said, "who": other.schedule.who or other.schedule.department.name}
    return None


def _meet(one: WeeklySession, other: WeeklySession) -> bool:
    """Whether two sessions of one weekday can fall on the same day."""
    if one.only_on is not None and other.only_on is not None:
        return one.only_on == other.only_on
    if one.only_on is not None or other.only_on is not None:
        day, weekly = (one.only_on, other) if one.only_on is not None else (other.only_on, one)
        return (weekly.since is None or weekly.since <= day) and (weekly.until is None or day < weekly.until)  # type: ignore[operator]
    return (one.until is None or other.since is None or other.since < one.until) and (
        other.until is None or one.since is None or one.since < other.until
    )


def _in_rooms(rooms: set[int | None]) -> Q:
    return Q(facility_id__in=rooms) | Q(room_terms__facility_id__in=rooms, room_terms__since__gt=timezone.localdate())


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
    if name not in column or not (number.isdecimal() and len(number) < 19):
        return []
    where = _in_rooms({int(number)}) if name == "facility" else Q(**{column[name]: int(number)})
    return list(
        Schedule.objects.filter(where, organization_id__in=actor.reach)
        .distinct()
        .select_related("department", "practitioner", "facility")
        .order_by("id")
    )


def taken_meanwhile(*, schedule: Schedule, slot_ids: Sequence[int]) -> datetime | None:
    """When one of these slots begins at which the doctor, room or machine is taken by another schedule; None when all are free."""
    others = Slot.objects.alias(in_room=Coalesce("facility_id", "schedule__facility_id")).filter(
        Q(schedule__practitioner_id=schedule.practitioner_id, schedule__practitioner_id__isnull=False)
        | Q(in_room=OuterRef("in_room")),
        schedule_id__in=[one for one in shared_schedules(schedule) if one != schedule.pk],
        stopped_at__isnull=True,
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    in_room = Coalesce("facility_id", "schedule__facility_id")
    found = Slot.objects.filter(id__in=slot_ids).alias(in_room=in_room).filter(Exists(others)).order_by("starts_at")
    return found.values_list("starts_at", flat=True).first()


def named_so(schedule: Schedule, text: str) -> bool:
    """Whether a text is in the name of the department, the expert, the room or the machine, or begins the expert's pinyin."""
    word = "".join(text.split()).casefold()
    expert = schedule.practitioner
    said = spell(expert.name) if expert and word.isascii() else None
    called = "".join(f"{schedule.department.name}{schedule.who}".split()).casefold()
    return word in called or (
        said is not None and ("".join(said.pinyin.split()).startswith(word) or said.initials.startswith(word))
    )


def fitting(slots: list[Slot], text: str) -> list[Slot]:
    """The slots of clinics whose department, expert, room or machine is called so; all of them without a text."""
    return [one for one in slots if named_so(one.schedule, text)]


def slots_in_scope(found: QuerySet[Slot], scope: str) -> QuerySet[Slot]:
    """Of the slots of schedules, those that a scope means: of a room or a machine only what takes place there."""
    name, _colon, number = scope.partition(":")
    if name != "facility":
        return found
    return found.alias(in_room=Coalesce("facility_id", "schedule__facility_id")).filter(in_room=int(number))


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


def first_time(*, department_id: int, since: datetime, until: datetime) -> datetime | None:
    """When the first visit of a department's clinics begins that are not stopped; None where none is laid out in between."""
    found = Slot.objects.filter(
        schedule__department_id=department_id, starts_at__gte=since, starts_at__lt=until, stopped_at__isnull=True
    )
    return found.order_by("starts_at").values_list("starts_at", flat=True).first()


def units_with_clinics(*, actor: Actor) -> list[int]:
    """The units that have clinics, of the actor's consortium where it belongs to one: where somebody looks who names none."""
    found = Schedule.objects.order_by("organization_id")
    if actor.consortium_id is not None:
        found = found.filter(consortium_id=actor.consortium_id)
    return list(found.values_list("organization_id", flat=True).distinct())


def department_choices(*, organization_id: int) -> list[tuple[int, str]]:
    """The departments of a unit to choose from."""
    return list(Department.objects.filter(organization_id=organization_id).order_by("code").values_list("id", "name"))


def expert_choices(*, organization_id: int) -> list[tuple[int, str]]:
    """The practitioners of a unit to choose from, experts first."""
    people = (
        Practitioner.objects.filter(
            posts__organization_id=organization_id, posts__period__contains=timezone.localdate()
        )
        .distinct()
        .order_by("-is_expert", "name")
    )
    return [(person.pk, f"{person.name} {person.title} {person.specialty}".strip()) for person in people]
