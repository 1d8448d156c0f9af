"""Laying out schedules and stopping clinics."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import queries
from doorstep.coordination.scheduling.actions import give_back
from doorstep.coordination.scheduling.events import ClinicStopped, SlotsGenerated
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot, WeeklySession
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import Session, slots_of
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.events import actions as events
from doorstep.kernel.worklist import calendar

# How far ahead slots may be laid out.
HORIZON_DAYS = 92


@transaction.atomic
def create_schedule(
    *, organization_id: int, department_id: int, practitioner_id: int | None, service: str, actor: Actor
) -> Schedule:
    """Open a schedule of a department, with an expert or without; raises Conflict when there is one already."""
    _check_manages(actor, organization_id)
    try:
        with transaction.atomic():
            schedule = Schedule.objects.create(
                organization_id=organization_id,
                department_id=department_id,
                practitioner_id=practitioner_id,
                service=service,
                consortium_id=actor.consortium_id,
            )
    except IntegrityError as error:
        message = _("这个科室的这位专家已有同类排班，请直接修改原排班。")
        raise Conflict(message, fields={"practitioner": message}) from error
    return schedule


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
) -> WeeklySession:
    """Add a weekly session; `places` says how many places of each slot go to each quota."""
    _check_manages(actor, schedule.organization_id)
    if sum(places.values()) < 1:
        raise Refused(_("请至少安排一个号。"), fields={"open_places": _("各类号源的数量不能全部为零。")})
    Schedule.objects.select_for_update().get(id=schedule.id)
    for other in queries.sessions_of(schedule_id=schedule.id):
        if other.weekday == weekday and other.starts < ends and starts < other.ends:
            message = _("与本排班当天已有的时段重叠，请调整起止时间。")
            raise Conflict(message, fields={"starts": message})
    return WeeklySession.objects.create(
        schedule=schedule,
        weekday=weekday,
        starts=starts,
        ends=ends,
        minutes=minutes,
        **{f"{quota}_places": count for quota, count in places.items()},
    )


@transaction.atomic
def generate_slots(*, schedule: Schedule, first: date, last: date, actor: Actor) -> int:
    """Lay out the slots of a schedule's weekly sessions for some days; what is there already stays as it is.

    Weekday sessions rest on national holidays. Returns how many slots were made.
    """
    _check_manages(actor, schedule.organization_id)
    if not first <= last <= first + timedelta(days=HORIZON_DAYS):
        raise Refused(
            _("生成号源的日期范围不正确。"), fields={"last": _("结束日期须不早于开始日期，一次最多生成 92 天。")}
        )
    Schedule.objects.select_for_update().get(id=schedule.id)
    taken = list(
        Slot.objects.filter(schedule=schedule, starts_at__date__range=(first, last)).values_list("starts_at", "ends_at")
    )
    slots: list[Slot] = []
    places: list[Place] = []
    for session in queries.sessions_of(schedule_id=schedule.id):
        weekly = Session(session.weekday, session.starts, session.ends, session.minutes)
        for starts_at, ends_at in slots_of(weekly, first=first, last=last):
            if any(start < ends_at and starts_at < end for start, end in taken):
                continue
            if session.weekday < 5 and not calendar.is_workday(starts_at):
                continue
            slot = Slot(
                schedule=schedule,
                organization_id=schedule.organization_id,
                consortium_id=schedule.consortium_id,
                starts_at=starts_at,
                ends_at=ends_at,
            )
            slots.append(slot)
            taken.append((starts_at, ends_at))
            quotas = [quota for quota, count in session.places().items() for _number in range(count)]
            places += [Place(slot=slot, number=number, quota=quota) for number, quota in enumerate(quotas, start=1)]
    Slot.objects.bulk_create(slots)
    Place.objects.bulk_create(places, batch_size=2_000)
    if slots:
        _tell(SlotsGenerated, schedule, actor, slot_ids=[slot.pk for slot in slots])
    return len(slots)


@transaction.atomic
def stop_clinic(*, schedule: Schedule, since: datetime, until: datetime, reason: str, actor: Actor) -> int:
    """Stop the slots of a schedule that begin in a time: at once nobody can book them any more.

    Returns how many bookings stand there; a handler calls them off one by one right after, as the house itself, because
    an office need not see the residents whom it calls off.
    """
    _check_manages(actor, schedule.organization_id)
    reason = reason.strip()[:200]
    if not reason:
        raise Refused(_("请填写停诊原因。"), fields={"reason": _("停诊原因会告知已预约的居民和转出机构。")})
    open_slots = Slot.objects.select_for_update().filter(
        schedule=schedule, starts_at__gte=since, starts_at__lt=until, stopped_at__isnull=True
    )
    slot_ids = [slot.id for slot in open_slots.order_by("id")]
    if not slot_ids:
        raise Refused(_("这段时间没有可停的号源。"), fields={"since": _("请核对停诊的起止日期。")})
    Slot.objects.filter(id__in=slot_ids).update(stopped_at=timezone.now(), stop_reason=reason)
    booked = Booking.objects.filter(slot_id__in=slot_ids, state="booked").count()
    _tell(ClinicStopped, schedule, actor, slot_ids=slot_ids, reason=reason, booked=booked)
    return booked


@transaction.atomic
def call_off(*, slot_ids: list[int], reason: str, actor: Actor) -> int:
    """Call off every booking of stopped slots; returns how many there were."""
    bookings = list(Booking.objects.filter(slot_id__in=slot_ids, state="booked").order_by("id"))
    for booking in bookings:
        give_back(booking, "call-off", actor=actor, reason=_("停诊：%(reason)s") % {"reason": reason})
    return len(bookings)


def _tell(event: type[SlotsGenerated] | type[ClinicStopped], schedule: Schedule, actor: Actor, **facts: object) -> None:
    events.publish(
        event(
            subject=f"schedule/{schedule.key}",
            subject_id=schedule.pk,
            organization_id=schedule.organization_id,
            consortium_id=schedule.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )


def _check_manages(actor: Actor, organization_id: int) -> None:
    actor.check(Permission.SCHEDULE_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
