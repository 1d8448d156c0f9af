"""Schedules and their templates: weekly sessions, exceptions, rooms, machines, kinds of visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import clinic_queries
from doorstep.coordination.scheduling.models import DayException, Facility, Schedule, VisitKind, WeeklySession
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRule:
    """When a schedule's slots are released by themselves, and what it does on holidays and make-up workdays."""

    release_days: int | None = None
    release_at: time = time(7)
    holidays: str = Schedule.Holidays.REST.value
    makeup_as: int | None = None
    priority_hours: int = 0
    is_active: bool = True


@transaction.atomic
def create_schedule(
    *,
    organization_id: int,
    department_id: int,
    practitioner_id: int | None,
    service: str,
    actor: Actor,
    facility_id: int | None = None,
) -> Schedule:
    """Open a schedule of a department, an expert, a room or a machine; raises Conflict when there is one already."""
    check_manages(actor, organization_id)
    if facility_id is not None and not Facility.objects.filter(id=facility_id, department_id=department_id).exists():
        message = _("该诊室或设备不属于所选科室，请重新选择。")
        raise Refused(message, fields={"facility": message})
    try:
        with transaction.atomic():
            schedule = Schedule.objects.create(
                organization_id=organization_id,
                department_id=department_id,
                practitioner_id=practitioner_id,
                facility_id=facility_id,
                service=service,
                consortium_id=actor.consortium_id,
            )
    except IntegrityError as error:
        message = _("这个科室的这位专家（或诊室、设备）已有同类排班，请直接修改原排班。")
        raise Conflict(message, fields={"practitioner": message}) from error
    _note("schedule.create", schedule, actor)
    return schedule


@transaction.atomic
def set_rule(*, schedule: Schedule, rule: ReleaseRule, actor: Actor) -> Schedule:
    """Change when slots are released and how holidays are treated; slots that stand already stay."""
    check_manages(actor, schedule.organization_id)
    locked = Schedule.objects.select_for_update().get(id=schedule.id)
    for name in ("release_days", "release_at", "holidays", "makeup_as", "priority_hours", "is_active"):
        setattr(locked, name, getattr(rule, name))
    locked.save(update_fields=["release_days", "release_at", "holidays", "makeup_as", "priority_hours", "is_active"])
    _note("schedule.rule", locked, actor, release_days=rule.release_days, holidays=rule.holidays)
    return locked


@transaction.atomic
def add_session(
    *,
    schedule: Schedule,
    weekday: int,
    starts: time,
    ends: time,
    minutes: int,
    places: Mapping[str, int],
    actor: Actor,
    kind_id: int | None = None,
    before: int = 0,
    after: int = 0,
    only_on: date | None = None,
    since: date | None = None,
    until: date | None = None,
) -> WeeklySession:
    """Add a session; `places` says how many places of each slot go to each quota. `only_on` makes it one extra day.

    Raises Conflict when the schedule, or another one with the same doctor, room or machine, has a session at that time.
    """
    check_manages(actor, schedule.organization_id)
    if sum(places.values()) < 1:
        raise Refused(_("请至少安排一个号。"), fields={"open_places": _("各类号源的数量不能全部为零。")})
    if until is not None and since is not None and until <= since:
        raise Refused(_("有效期不正确。"), fields={"until": _("失效日期须晚于生效日期。")})
    weekday = only_on.weekday() if only_on is not None else weekday
    _check_free(schedule, weekday, starts, ends, (only_on, since, until))
    session = WeeklySession.objects.create(
        schedule=schedule,
        weekday=weekday,
        starts=starts,
        ends=ends,
        minutes=minutes,
        kind_id=kind_id,
        before_minutes=before,
        after_minutes=after,
        only_on=only_on,
        since=since,
        until=until,
        **{f"{quota}_places": count for quota, count in places.items()},
    )
    _note("schedule.session", schedule, actor, session=session.pk)
    return session


@transaction.atomic
def remove_session(*, schedule: Schedule, session_id: int, actor: Actor) -> None:
    """Take a session out of the template; slots that stand already stay until the clinic is stopped."""
    check_manages(actor, schedule.organization_id)
    removed, _each = WeeklySession.objects.filter(schedule=schedule, id=session_id).delete()
    if not removed:
        raise NotFound()
    _note("schedule.session-remove", schedule, actor, session=session_id)


@transaction.atomic
def except_day(*, schedule: Schedule, day: date, follows: int | None, reason: str, actor: Actor) -> DayException:
    """Let a day rest, or follow another weekday; slots that stand already are stopped by the stop of the clinic alone."""
    check_manages(actor, schedule.organization_id)
    exception, _made = DayException.objects.update_or_create(
        schedule=schedule,
        day=day,
        defaults={
            "act": DayException.Act.REST if follows is None else DayException.Act.FOLLOW,
            "weekday": follows,
            "reason": reason.strip()[:200],
        },
    )
    _note("schedule.exception", schedule, actor, day=day.isoformat(), follows=follows)
    return exception


@transaction.atomic
def forget_exception(*, schedule: Schedule, day: date, actor: Actor) -> None:
    """Let a day follow the week again."""
    check_manages(actor, schedule.organization_id)
    removed, _each = DayException.objects.filter(schedule=schedule, day=day).delete()
    if not removed:
        raise NotFound()
    _note("schedule.exception-remove", schedule, actor, day=day.isoformat())


@transaction.atomic
def add_facility(*, organization_id: int, department_id: int, kind: str, name: str, actor: Actor) -> Facility:
    """Enter a room or a machine of a department."""
    check_manages(actor, organization_id)
    if Facility.objects.filter(department_id=department_id, name=name.strip()).exists():
        message = _("这个科室已有同名的诊室或设备。")
        raise Conflict(message, fields={"name": message})
    return Facility.objects.create(
        organization_id=organization_id, department_id=department_id, kind=kind, name=name.strip()
    )


@transaction.atomic
def add_visit_kind(
    *, organization_id: int, department_id: int, name: str, minutes: int, before: int, after: int, actor: Actor
) -> VisitKind:
    """Enter a kind of visit of a department with its length and buffers in minutes."""
    check_manages(actor, organization_id)
    if VisitKind.objects.filter(department_id=department_id, name=name.strip()).exists():
        message = _("这个科室已有同名的就诊类型。")
        raise Conflict(message, fields={"name": message})
    return VisitKind.objects.create(
        department_id=department_id, name=name.strip(), minutes=minutes, before_minutes=before, after_minutes=after
    )


def check_manages(actor: Actor, organization_id: int) -> None:
    """Raise when the actor may not manage a unit's schedules: NotPermitted by role, NotFound by unit."""
    actor.check(Permission.SCHEDULE_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()


def _check_free(
    schedule: Schedule, weekday: int, starts: time, ends: time, days: tuple[date | None, date | None, date | None]
) -> None:
    """Raise Conflict when this schedule, or one with the same doctor, room or machine, holds a session at that time."""
    shared = clinic_queries.shared_schedules(schedule)
    list(Schedule.objects.select_for_update().filter(id__in=shared).order_by("id"))
    for other in WeeklySession.objects.filter(schedule_id__in=shared, weekday=weekday):
        if other.starts < ends and starts < other.ends and _same_days(other, *days):
            message = (
                _("与本排班当天已有的时段重叠，请调整起止时间。")
                if other.schedule_id == schedule.pk
                else _("同一医生、诊室或设备在另一排班的这个时间已有时段，请调整起止时间。")
            )
            raise Conflict(message, fields={"starts": message})


def _same_days(other: WeeklySession, only_on: date | None, since: date | None, until: date | None) -> bool:
    """Whether two sessions of one weekday can meet on a day."""
    if only_on is not None or other.only_on is not None:
        return only_on == other.only_on
    return (until is None or other.since is None or other.since < until) and (
        other.until is None or since is None or since < other.until
    )


def _note(act: str, schedule: Schedule, actor: Actor, **facts: object) -> None:
    audit.record(action=act, actor=actor, subject=f"schedule/{schedule.key}", details=facts)
