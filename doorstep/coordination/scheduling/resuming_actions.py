"""Resuming stopped clinics (恢复出诊): places open again, and who was called off and has no new time is given the old one back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    claiming,
    clinic_queries,
    laying_actions,
    resting,
    telling,
)
from doorstep.coordination.scheduling.clinic_actions import check_manages
from doorstep.coordination.scheduling.events import ClinicResumed
from doorstep.coordination.scheduling.hours import Hours, begins_in
from doorstep.coordination.scheduling.models import Booking, Rebooking, Schedule, Slot
from doorstep.coordination.scheduling.outcomes import Wish, constraints
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.workflow import actions as workflow

# So long the old places are kept for those whom they are given back to; the handler needs seconds. Platform default.
KEPT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of it: how many slots open again, how many people are given their old time back right after, how many days that were not
    laid out follow their week again, and how many slots of them were laid out since their release had come meanwhile.
    """

    slots: int
    people: int
    days: int = 0
    laid: int = 0


@transaction.atomic
def resume_clinic(
    *, schedule: Schedule, since: datetime, until: datetime, actor: Actor, hours: Hours | None = None
) -> Resumed:
    """Let the stopped slots of a schedule that begin in a time, or in these hours of its days, take place after all.

    The places of people who have no new time yet are kept for them in the same act, so nobody can get in between; a handler books
    each again right after. Who has a new time keeps it. Raises Refused when nothing is stopped there, Conflict when the doctor, the
    room or the machine is taken by another schedule by now.
    """
    return _resume([schedule], since=since, until=until, actor=actor, hours=hours)


@transaction.atomic
def resume_scope(*, scope: str, since: datetime, until: datetime, actor: Actor, hours: Hours | None = None) -> Resumed:
    """The same for every schedule of a department, a doctor, a room or a machine ("practitioner:3")."""
    schedules = clinic_queries.schedules_of(scope=scope, actor=actor)
    if not schedules:
        raise NotFound()
    return _resume(schedules, since=since, until=until, actor=actor, scope=scope, hours=hours)


def _resume(
    schedules: Iterable[Schedule],
    *,
    since: datetime,
    until: datetime,
    actor: Actor,
    scope: str = "",
    hours: Hours | None = None,
) -> Resumed:
    slots, people, rested, laid = 0, 0, 0, 0
    for schedule in schedules:
        check_manages(actor, schedule.organization_id)
        stopped = Slot.objects.select_for_update(of=("self",), no_key=True).filter(
            begins_in(hours),
            schedule=schedule,
            starts_at__gte=max(since, timezone.now()),
            starts_at__lt=until,
            stopped_at__isnull=False,
        )
        ids = [slot.pk for slot in clinic_queries.slots_in_scope(stopped, scope).order_by("id")]
        if ids:
            slots, people = slots + len(ids), people + _open_again(schedule, ids, actor)
        if not scope.startswith("facility:"):
            again = resting.work_again(schedule=schedule, since=since, until=until, hours=hours)
            rested += len(again)
            laid += laying_actions.lay_out_missed(schedule, again, actor)
    if not slots and not rested:
        raise Refused(_("这段时间没有已停诊且未开始的号源。"), fields={"first": _("请核对恢复出诊的起止日期和时间。")})
    return Resumed(slots, people, rested, laid)


def _open_again(schedule: Schedule, ids: list[int], actor: Actor) -> int:
    """Open stopped slots, with their places kept for whoever has no new time yet; returns how many people these are."""
    _check_free(schedule, ids)
    Slot.objects.filter(id__in=ids).update(stopped_at=None, stop_reason="")
    with for_purpose(Purpose.HANDLER, actor):
        claiming.keep_called_off(slot_ids=ids, until=timezone.now() + KEPT, actor=actor)
        here = Rebooking.objects.filter(state="open", booking__slot_id__in=ids).count()
    subject = f"schedule/{schedule.key}"
    audit.record(action="schedule.resume", actor=actor, subject=subject, details={"slots": len(ids), "people": here})
    events.publish(
        ClinicResumed(
            subject=subject,
            subject_id=schedule.pk,
            organization_id=schedule.organization_id,
            consortium_id=schedule.consortium_id,
            user_id=actor.user_id,
            details={"slot_ids": ids, "people": here},
        )
    )
    return here


def _check_free(schedule: Schedule, slot_ids: list[int]) -> None:
    """Raise Conflict when the same doctor, room or machine was laid out elsewhere while the clinic stood still."""
    taken = clinic_queries.taken_meanwhile(schedule=schedule, slot_ids=slot_ids)
    if taken is not None:
        raise Conflict(
            _("%(time)s 同一医生、诊室或设备已另有出诊，不能恢复；请先停掉那边的号源，或分日恢复。")
            % {"time": timezone.localtime(taken).strftime("%m-%d %H:%M")}
        )


def give_back_times(*, slot_ids: list[int], actor: Actor) -> int:
    """Book the old time again for everybody who still has none, and tell the others; returns how many have it back."""
    tasks = booking_queries.rebookings_in(slot_ids=slot_ids)
    restored = 0
    for task in tasks:
        if task.state == "open":
            restored += _give_back_time(task, actor)
        elif task.new_booking is not None and task.new_booking.slot_id != task.booking.slot_id:
            moved = timezone.localtime(task.new_booking.slot.starts_at).strftime("%m-%d %H:%M")
            telling.tell_booking(task.booking, "booking-kept-moved", actor=actor, moved=moved)
    return restored


def _give_back_time(task: Rebooking, actor: Actor) -> bool:
    """The old place for the same thing, and the task closed; both or neither. Whoever found another time meanwhile was first."""
    try:
        with constraints():
            booking = _booked_again(task, actor)
            workflow.apply(
                task,
                "restore",
                actor=actor,
                values={"new_booking_id": booking.pk},
                details={"booking": str(booking.key)},
            )
    except workflow.TransitionRefused:
        claiming.free_hold(hold_key=task.key, actor=actor, anybody=True)
        return False
    except Refused as refused:
        claiming.free_hold(hold_key=task.key, actor=actor, anybody=True)
        telling.tell_booking(task.booking, "booking-not-restored", actor=actor, reason=str(refused.message))
        return False
    telling.tell_booking(booking, "booking-restored", actor=actor)
    return True


def _booked_again(task: Rebooking, actor: Actor) -> Booking:
    old, now = task.booking, timezone.now()
    if old.place.is_extra:
        claiming.reopen_added(place_id=old.place_id, key=task.key, until=now + KEPT)
    ask = Ask(actor=actor, now=now, hold=task.key, resident_id=old.resident_id, request=task.key, anybody=True)
    wish = Wish(
        reference=old.reference,
        channel=old.channel,
        changed_from=old,
        wanted_since=old.wanted_since,
        extra_reason=old.extra_reason,
        again=not old.half_day,
        source_id=old.source_organization_id,
    )
    return actions.take_and_insert(ask, wish=wish, verb="book")
