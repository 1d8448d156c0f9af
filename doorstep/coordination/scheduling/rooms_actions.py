"""Another room, machine or kind of visit of a schedule, in force from a day on; whoever is booked keeps time, room and kind."""

from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import clinic_queries
from doorstep.coordination.scheduling.clinic_actions import check_manages
from doorstep.coordination.scheduling.models import (
    Facility,
    Place,
    RoomTerm,
    Schedule,
    Slot,
    VisitKind,
    WeeklySession,
)
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit


@transaction.atomic
def change_room(*, schedule: Schedule, facility_id: int, since: date, actor: Actor) -> int:
    """Let a schedule take place in another room or on another machine from a day on; returns how many slots moved that nobody booked.

    Slots with a booking or a hold keep their room. Raises Refused for a room of another department or a day that is not to come,
    Conflict when the room is taken by then.
    """
    check_manages(actor, schedule.organization_id)
    facility = Facility.objects.filter(id=facility_id, department_id=schedule.department_id).first()
    if facility is None:
        message = _("该诊室或设备不属于所选科室，请重新选择。")
        raise Refused(message, fields={"facility": message})
    _check_to_come(since)
    locked = _lock(schedule, facility)
    _check_room(locked, facility, since)
    begins = datetime.combine(since, time(), tzinfo=CHINA)
    coming = Slot.objects.filter(schedule=locked, starts_at__gte=timezone.now())
    # What stands keeps the room it was laid out for, in words of its own: the schedule's will be another one day.
    coming.filter(facility__isnull=True).update(facility_id=locked.facility_id)
    taken = Place.objects.filter(slot_id=OuterRef("pk"), state__in=("held", "booked"))
    moved = coming.filter(~Exists(taken), starts_at__gte=begins, stopped_at__isnull=True).update(facility=facility)
    RoomTerm.objects.filter(schedule=locked, since__gte=since).delete()
    RoomTerm.objects.create(schedule=locked, facility=facility, since=since, decided_by_id=actor.user_id)
    _note("schedule.room", locked, actor, room=facility.name, since=since.isoformat(), slots=moved)
    return moved


@transaction.atomic
def settle_rooms(*, today: date) -> int:
    """Write the rooms that came into force into their schedules, as the system; returns how many."""
    due = list(
        RoomTerm.objects.filter(since__lte=today)
        .select_related("schedule")
        .order_by("schedule_id", "-since")
        .distinct("schedule_id")
    )
    changed = [one for one in due if one.schedule.facility_id != one.facility_id]
    for term in changed:
        term.schedule.facility_id = term.facility_id
    Schedule.objects.bulk_update([term.schedule for term in changed], ["facility"])
    return len(changed)


@transaction.atomic
def change_kind(*, schedule: Schedule, kind_id: int, since: date, session_id: int | None, actor: Actor) -> int:
    """Let a session, or every weekly one (None), be of another kind of visit from a day on, with its length and buffers; returns how many.

    Slots that stand keep their kind. Raises Refused for a kind of another department or a day that is not to come, NotFound when there
    is no such session.
    """
    check_manages(actor, schedule.organization_id)
    kind = VisitKind.objects.filter(id=kind_id, department_id=schedule.department_id).first()
    if kind is None:
        message = _("该就诊类型不属于本科室，请重新选择。")
        raise Refused(message, fields={"kind": message})
    _check_to_come(since)
    Schedule.objects.select_for_update().get(id=schedule.pk)
    found = [
        one
        for one in WeeklySession.objects.filter(schedule=schedule, only_on__isnull=True).order_by("id")
        if (one.until is None or one.until > since) and session_id in (None, one.pk)
    ]
    if not found:
        raise NotFound()
    WeeklySession.objects.bulk_create([_from_then_on(one, kind, since) for one in found if not _is_later(one, since)])
    WeeklySession.objects.filter(id__in=[one.pk for one in found if not _is_later(one, since)]).update(until=since)
    WeeklySession.objects.filter(id__in=[one.pk for one in found if _is_later(one, since)]).update(**_facts(kind))
    _note("schedule.kind", schedule, actor, kind=kind.name, since=since.isoformat(), sessions=[one.pk for one in found])
    return len(found)


def _is_later(session: WeeklySession, since: date) -> bool:
    """Whether a session begins with the change or after it: nothing of it is in force before."""
    return session.since is not None and session.since >= since


def _from_then_on(session: WeeklySession, kind: VisitKind, since: date) -> WeeklySession:
    places = {f"{quota}_places": count for quota, count in session.places().items()}
    return WeeklySession(
        schedule_id=session.schedule_id,
        weekday=session.weekday,
        starts=session.starts,
        ends=session.ends,
        since=since,
        until=session.until,
        **_facts(kind),
        **places,
    )


def _facts(kind: VisitKind) -> dict[str, int]:
    return {
        "kind_id": kind.pk,
        "minutes": kind.minutes,
        "before_minutes": kind.before_minutes,
        "after_minutes": kind.after_minutes,
    }


def _check_to_come(since: date) -> None:
    if since <= timezone.localdate():
        raise Refused(_("生效日期不正确。"), fields={"since": _("从明天或以后的一天起生效，当天的门诊不变。")})


def _lock(schedule: Schedule, facility: Facility) -> Schedule:
    """The schedule, locked with those that share its doctor, its room or the new one: two changes come one after the other."""
    shared = {*clinic_queries.shared_schedules(schedule), *clinic_queries.schedules_in_room(facility_id=facility.pk)}
    locked = {one.pk: one for one in Schedule.objects.select_for_update().filter(id__in=shared).order_by("id")}
    return locked[schedule.pk]


def _check_room(schedule: Schedule, facility: Facility, since: date) -> None:
    """Raise Conflict when the room is taken by another schedule's sessions or slots from that day on."""
    same = Schedule.objects.filter(
        department_id=schedule.department_id, facility=facility, service=schedule.service
    ).exclude(id=schedule.pk)
    if schedule.practitioner_id in set(same.values_list("practitioner_id", flat=True)):
        message = _("这间诊室或设备已有同类排班，请直接使用原排班。")
        raise Conflict(message, fields={"facility": message})
    clash = clinic_queries.room_clash(schedule=schedule, facility_id=facility.pk, since=since)
    if clash:
        message = _("%(room)s 在 %(time)s 已有 %(who)s 出诊，请换一间或调整时段。") % {"room": facility.name, **clash}
        raise Conflict(message, fields={"facility": message})


def _note(act: str, schedule: Schedule, actor: Actor, **facts: object) -> None:
    audit.record(action=act, actor=actor, subject=f"schedule/{schedule.key}", details=facts)
