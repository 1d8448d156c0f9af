"""Laying out slots from templates, by hand or by the schedule's own release."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import clinic_queries, days, rooms_actions
from doorstep.coordination.scheduling.clinic_actions import check_manages
from doorstep.coordination.scheduling.events import SlotsGenerated
from doorstep.coordination.scheduling.models import Place, RoomTerm, Schedule, Slot
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.sharing import Dealer
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.events import actions as events

# How far ahead slots may be laid out.
HORIZON_DAYS = 92
_RELEASES_A_TICK = 20


@dataclass(frozen=True, slots=True)
class _Planned:
    slot: Slot
    session: days.Session


@transaction.atomic
def generate_slots(*, schedule: Schedule, first: date, last: date, actor: Actor) -> int:
    """Lay out the slots of a schedule's template for some days; what is there already stays as it is.

    A time at which the same doctor, room or machine is taken by another schedule is left out. Returns how many slots
    were made.
    """
    check_manages(actor, schedule.organization_id)
    if not first <= last <= first + timedelta(days=HORIZON_DAYS):
        raise Refused(
            _("生成号源的日期范围不正确。"), fields={"last": _("结束日期须不早于开始日期，一次最多生成 92 天。")}
        )
    return _lay_out(schedule, first, last, actor, now=timezone.now())


@transaction.atomic
def release_due(*, actor: Actor, now: datetime | None = None) -> int:
    """Release the days that fell due by the schedules' own rule, as the system; returns how many slots were made."""
    moment = now or timezone.now()
    today = moment.astimezone(CHINA).date()
    rooms_actions.settle_rooms(today=today)
    made = 0
    for schedule in clinic_queries.due_schedules(now=moment)[:_RELEASES_A_TICK]:
        last = clinic_queries.last_due(schedule, now=moment, today=today)
        first = max(today + timedelta(days=1), (schedule.released_until or today) + timedelta(days=1))
        if first <= last:
            made += _lay_out(schedule, first, last, actor, now=moment)
        Schedule.objects.filter(id=schedule.pk).update(released_until=last)
    return made


def lay_out_days(
    schedule: Schedule, wanted: Sequence[date], actor: Actor, *, opens_at: datetime, without: frozenset[int]
) -> dict[date, list[int]]:
    """Lay out some days anew where times of theirs were taken away, leaving out sessions; returns the places of each new slot by day."""
    made: dict[date, list[int]] = {}
    for one in _laid(schedule, wanted, actor, opens_at=opens_at, without=without):
        day = one.slot.starts_at.astimezone(CHINA).date()
        made.setdefault(day, []).append(sum((one.session.places or {}).values()))
    return made


def lay_out_missed(schedule: Schedule, rested: Iterable[date], actor: Actor) -> int:
    """Lay out the days that rested when their release came and take place after all; the others wait for their own. Returns the slots."""
    today, until = timezone.localdate(), schedule.released_until
    if not schedule.is_active or schedule.release_days is None or until is None:
        return 0
    wanted = sorted(day for day in set(rested) if today < day <= until)
    opens_at = timezone.now() + timedelta(hours=schedule.priority_hours)
    return len(_laid(schedule, wanted, actor, opens_at=opens_at)) if wanted else 0


def _lay_out(schedule: Schedule, first: date, last: date, actor: Actor, *, now: datetime) -> int:
    opens_at = now + timedelta(hours=schedule.priority_hours)
    return len(_laid(schedule, list(_days(first, last)), actor, opens_at=opens_at))


def _laid(
    schedule: Schedule,
    wanted: Sequence[date],
    actor: Actor,
    *,
    opens_at: datetime,
    without: frozenset[int] = frozenset(),
) -> list[_Planned]:
    schedule = Schedule.objects.select_for_update(of=("self",)).get(id=schedule.pk)
    template = clinic_queries.template_of(schedule)
    shared = clinic_queries.shared_schedules(schedule)
    terms = list(RoomTerm.objects.filter(schedule=schedule).order_by("since"))
    found = Slot.objects.filter(starts_at__date__range=(min(wanted), max(wanted))).filter(
        Q(schedule_id__in=shared, stopped_at__isnull=True) | Q(schedule=schedule)
    )
    taken = [_span(slot) for slot in found.select_related("schedule", "kind") if _is_in_the_way(slot, schedule, terms)]
    planned = list(_planned(schedule, template, wanted, taken, opens_at=opens_at, without=without))
    if terms:
        for one in planned:
            one.slot.facility_id = clinic_queries.room_on(schedule, one.slot.starts_at.astimezone(CHINA).date(), terms)
    Slot.objects.bulk_create([one.slot for one in planned])
    Place.objects.bulk_create(_places(schedule, planned), batch_size=2_000)
    if planned:
        events.publish(
            SlotsGenerated(
                subject=f"schedule/{schedule.key}",
                subject_id=schedule.pk,
                organization_id=schedule.organization_id,
                consortium_id=schedule.consortium_id,
                user_id=actor.user_id,
                details={"slot_ids": [one.slot.pk for one in planned]},
            )
        )
    return planned


def _is_in_the_way(slot: Slot, schedule: Schedule, terms: list[RoomTerm]) -> bool:
    """Whether a slot takes this schedule's own time, its doctor, or its room or machine of that day."""
    if slot.schedule_id == schedule.pk:
        return True
    if schedule.practitioner_id is not None and slot.schedule.practitioner_id == schedule.practitioner_id:
        return True
    room = clinic_queries.room_on(schedule, slot.starts_at.astimezone(CHINA).date(), terms)
    return room is not None and room == (slot.facility_id or slot.schedule.facility_id)


def _span(slot: Slot) -> tuple[datetime, datetime]:
    """How long a slot keeps doctor, room or machine: with the time before and after of its kind of visit."""
    if slot.kind is None:
        return slot.starts_at, slot.ends_at
    before, after = timedelta(minutes=slot.kind.before_minutes), timedelta(minutes=slot.kind.after_minutes)
    return slot.starts_at - before, slot.ends_at + after


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _planned(
    schedule: Schedule,
    template: days.Template,
    wanted: Iterable[date],
    taken: list[tuple[datetime, datetime]],
    *,
    opens_at: datetime,
    without: frozenset[int],
) -> Iterator[_Planned]:
    for day in wanted:
        busy = [one for one in taken if day in (one[0].astimezone(CHINA).date(), one[1].astimezone(CHINA).date())]
        plan = days.plan_of(template, day)
        for session in plan.sessions:
            if session.id in without:
                continue
            for starts_at, ends_at in days.slots_of(session, day, plan.off):
                # The time before and after one visit may meet that of the next, and no visit.
                begins = starts_at - timedelta(minutes=session.before)
                is_over = ends_at + timedelta(minutes=session.after)
                if any(start < is_over and begins < end for start, end in busy):
                    continue
                busy.append((begins, is_over))
                yield _Planned(
                    Slot(
                        schedule=schedule,
                        organization_id=schedule.organization_id,
                        consortium_id=schedule.consortium_id,
                        starts_at=starts_at,
                        ends_at=ends_at,
                        kind_id=session.kind_id,
                        opens_at=opens_at,
                    ),
                    session,
                )


def _places(schedule: Schedule, planned: list[_Planned]) -> list[Place]:
    """The places of the slots; those of a quota with shares are dealt by the division of their own day."""
    dealers: dict[str, Dealer] = {}
    places = []
    for one in planned:
        day = one.slot.starts_at.astimezone(CHINA).date()
        row = [quota for quota, count in (one.session.places or {}).items() for _number in range(count)]
        for number, quota in enumerate(row, start=1):
            if quota not in dealers:
                dealers[quota] = Dealer(department_id=schedule.department_id, quota=quota)
            unit = dealers[quota].unit_on(day)
            places.append(
                Place(
                    slot=one.slot,
                    number=number,
                    quota=quota,
                    origin_organization_id=unit,
                    given_quota=quota,
                    given_organization_id=unit,
                )
            )
    return places
