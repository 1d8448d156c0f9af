"""Stopping clinics (停诊): slots are shut at once, bookings called off, and everybody gets a task to find a new time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import clinic_queries, resting, stopping_queries, telling
from doorstep.coordination.scheduling.actions import give_back
from doorstep.coordination.scheduling.clinic_actions import check_manages
from doorstep.coordination.scheduling.events import ClinicStopped
from doorstep.coordination.scheduling.hours import Hours
from doorstep.coordination.scheduling.models import Booking, Place, Rebooking, Schedule, Slot, WaitingEntry
from doorstep.coordination.scheduling.offering import take_back
from doorstep.coordination.scheduling.states import REBOOKING, WAITING_LIVE
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.events import actions as events
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.worklist import calendar

# So long before a visit people set out for it; and nobody has less than this to call them. Platform defaults.
SETS_OUT, SOON = timedelta(hours=1), timedelta(minutes=30)


@transaction.atomic
def stop_clinic(*, schedule: Schedule, since: datetime, until: datetime, reason: str, actor: Actor) -> int:
    """Stop the slots of a schedule that begin in a time, from now on: at once nobody can book them any more. What has begun stays as it is.

    Returns how many bookings stand there; a handler calls them off one by one right after, as the house itself, because
    an office need not see the residents whom it calls off.
    """
    return _stop([schedule], since=since, until=until, reason=reason, actor=actor)


@transaction.atomic
def stop_scope(
    *, scope: str, since: datetime, until: datetime, reason: str, actor: Actor, hours: Hours | None = None
) -> int:
    """Stop every schedule of a department, a doctor, a room or a machine ("practitioner:3") for a time, or for these hours of its days."""
    schedules = clinic_queries.schedules_of(scope=scope, actor=actor)
    if not schedules:
        raise NotFound()
    return _stop(schedules, since=since, until=until, reason=reason, actor=actor, scope=scope, hours=hours)


def _stop(
    schedules: Iterable[Schedule],
    *,
    since: datetime,
    until: datetime,
    reason: str,
    actor: Actor,
    scope: str = "",
    hours: Hours | None = None,
) -> int:
    reason = reason.strip()[:200]
    booked, stopped, resting_days = 0, 0, 0
    for schedule in schedules:
        check_manages(actor, schedule.organization_id)
        if not reason:
            raise Refused(_("请填写停诊原因。"), fields={"reason": _("停诊原因会告知已预约的居民和转出机构。")})
        found = stopping_queries.open_slots(schedules=[schedule], since=since, until=until, scope=scope, hours=hours)
        slot_ids = [slot.id for slot in found.select_for_update(of=("self",)).order_by("id")]
        if not scope.startswith("facility:"):
            # Another room may be found for the days to come; without the doctor or the department they do not take place.
            resting_days += resting.rest(schedule=schedule, since=since, until=until, reason=reason, hours=hours)
        if not slot_ids:
            continue
        stopped += len(slot_ids)
        Slot.objects.filter(id__in=slot_ids).update(stopped_at=timezone.now(), stop_reason=reason)
        Place.objects.filter(slot_id__in=slot_ids, state="held").update(
            state="free", hold_key=None, held_until=None, held_by_id=None, held_organization_id=None
        )
        here = Booking.objects.filter(slot_id__in=slot_ids, state="booked").count()
        booked += here
        _tell(schedule, actor, slot_ids=slot_ids, reason=reason, booked=here)
    if not stopped and not resting_days:
        raise Refused(_("这段时间没有可停的号源。"), fields={"since": _("请核对停诊的起止日期和时间。")})
    return booked


@transaction.atomic
def call_off(*, slot_ids: list[int], reason: str, actor: Actor) -> int:
    """Call off every booking of stopped slots and leave each a task to rebook; returns how many there were.

    Slots that were resumed before this came to them are left alone.
    """
    stopped = Slot.objects.select_for_update(no_key=True).filter(id__in=slot_ids, stopped_at__isnull=False)
    still = [slot.pk for slot in stopped.order_by("id")]
    bookings = list(
        Booking.objects.filter(slot_id__in=still, state="booked")
        .select_related("slot__schedule__department", "slot__organization")
        .order_by("id")
    )
    for booking in bookings:
        give_back(booking, "call-off", actor=actor, reason=_("停诊：%(reason)s") % {"reason": reason})
        rebooking = Rebooking(
            booking=booking,
            resident_id=booking.resident_id,
            resident_key=booking.resident_key,
            organization_id=booking.organization_id,
            source_organization_id=booking.source_organization_id,
            consortium_id=booking.consortium_id,
        )
        details = {"booking": str(booking.key), "reason": reason}
        workflow.begin(rebooking, "open", actor=actor, details=details, due_at=_before_the_visit(booking.slot))
        telling.tell_booking(booking, "booking-called-off", actor=actor, reason=reason)
    return len(bookings)


def _before_the_visit(slot: Slot) -> datetime:
    """Until when somebody is to be told of a stopped clinic: within the clock, and an hour before they would have come, for they set out."""
    clock, now = REBOOKING.state("open").clock, timezone.now()
    by_clock = calendar.due(now, clock.due, working_time=True) if clock is not None else slot.starts_at
    return min(by_clock, max(slot.starts_at - SETS_OUT, now + SOON))


@transaction.atomic
def end_for_death(*, resident_id: int, actor: Actor) -> int:
    """Give back the places of a resident who has died, and end waits and rebooking; returns how many ended."""
    reason = _("居民已登记死亡")
    bookings = list(Booking.objects.filter(resident_id=resident_id, state="booked").select_related("slot__schedule"))
    for booking in bookings:
        give_back(booking, "cancel", actor=actor, reason=reason)
    waits = list(WaitingEntry.objects.filter(resident_id=resident_id, state__in=WAITING_LIVE))
    for entry in waits:
        take_back(entry, "lapse", actor)
    tasks = list(Rebooking.objects.filter(resident_id=resident_id, state="open"))
    for task in tasks:
        workflow.apply(task, "drop", actor=actor, reason=reason)
    return len(bookings) + len(waits) + len(tasks)


def _tell(schedule: Schedule, actor: Actor, **facts: object) -> None:
    events.publish(
        ClinicStopped(
            subject=f"schedule/{schedule.key}",
            subject_id=schedule.pk,
            organization_id=schedule.organization_id,
            consortium_id=schedule.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
