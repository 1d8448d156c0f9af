"""Reads of waiting lists: whose turn it is, and how long the list is."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from doorstep.coordination.scheduling import halfdays, rules
from doorstep.coordination.scheduling.models import Booking, Place, Rebooking, WaitingEntry
from doorstep.coordination.scheduling.queries import as_key
from doorstep.coordination.scheduling.states import WAITING_LIVE
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.database.remembered import Remembered
from doorstep.people.organizations.models import Department
from doorstep.people.residents.finding import fits

_WITH = ("department", "schedule__practitioner", "organization", "source_organization", "resident", "offered_slot")
# So many are shown; a search and a file look at so many.
SHOWN, SEARCHED = 300, 3_000
# What a notice of the wait names.
_TOLD_WITH = ("department", "organization", "offered_slot")

# Slots with a free place that somebody who waits may have: the own share or what is open, given to no other unit, open to that
# person already, and of no half day (halfdays.named) that the person has let go by. A place that nobody on the list may take would else stand before the others at every look.
_OFFERABLE = """
SELECT s.key, c.department_id, s.schedule_id, s.starts_at
  FROM (SELECT DISTINCT department_id FROM scheduling_waitingentry WHERE state = 'waiting') d
  JOIN scheduling_schedule c ON c.department_id = d.department_id AND c.is_active
  JOIN scheduling_slot s ON s.schedule_id = c.id AND s.stopped_at IS NULL AND s.starts_at > %(now)s
 CROSS JOIN LATERAL (SELECT c.department_id || '/' || to_char(s.starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD/')
                         || CASE WHEN extract(hour FROM s.starts_at AT TIME ZONE 'Asia/Shanghai') < %(noon)s THEN 'am'
                                 WHEN extract(hour FROM s.starts_at AT TIME ZONE 'Asia/Shanghai') < %(evening)s THEN 'pm'
                                 ELSE 'eve' END AS half_day) h
 WHERE EXISTS (
   SELECT 1 FROM scheduling_place q
     JOIN scheduling_waitingentry w ON w.department_id = d.department_id AND w.state = 'waiting' AND q.quota IN (w.origin, 'open')
     LEFT JOIN organizations_organization u ON u.id = w.source_organization_id
    WHERE q.slot_id = s.id AND q.state IN ('free', 'held') AND (q.state = 'free' OR q.held_until <= %(now)s)
      AND (w.schedule_id IS NULL OR w.schedule_id = c.id)
      AND (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN w.first_day AND w.last_day
      AND (q.quota <> 'open' OR s.opens_at <= %(now)s OR w.groups <> '{}')
      AND (q.origin_organization_id IS NULL OR q.origin_organization_id = ANY (u.path))
      AND NOT (h.half_day = ANY (w.declined)))
 ORDER BY s.starts_at, s.id LIMIT %(limit)s
"""

# Waits whose person has come to a place of the department some other way since, within the wished days. Who waits for a named clinic
# has it only with that one. A look that names a time starts from the bookings that changed since: it costs what was booked, not who waits.
_SERVED = """
SELECT w.id, min(b.id)
  FROM scheduling_waitingentry w
  JOIN scheduling_booking b ON b.resident_id = w.resident_id AND b.state IN ('booked', 'arrived', 'fulfilled')
   AND b.created_at > w.created_at
  JOIN scheduling_slot s ON s.id = b.slot_id
  JOIN scheduling_schedule c ON c.id = s.schedule_id AND c.department_id = w.department_id
 WHERE w.state IN ('waiting', 'offered') AND (w.schedule_id IS NULL OR w.schedule_id = c.id) {since}
   AND (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN w.first_day AND w.last_day
 GROUP BY w.id ORDER BY w.id LIMIT 200
"""
_SINCE = "AND b.state_since >= %(since)s"


def offerable(*, now: datetime, limit: int = 100) -> list[tuple[uuid.UUID, int, int, datetime]]:
    """Slots with a free place for which somebody waits: (key, department, schedule, start), earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(_OFFERABLE, {"now": now, "limit": limit, "noon": rules.NOON, "evening": rules.EVENING})
        return [(row[0], row[1], row[2], row[3]) for row in cursor.fetchall()]


def next_in_line(
    *, department_id: int, schedule_id: int, starts_at: datetime, without: Iterable[int] = ()
) -> WaitingEntry | None:
    """Whose turn it is for a slot: more points first, then who came earlier; locked, others' locked rows left out."""
    day = timezone.localdate(starts_at)
    return (
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("resident", "department", "organization")
        .filter(Q(schedule_id__isnull=True) | Q(schedule_id=schedule_id), department_id=department_id, state="waiting")
        .filter(first_day__lte=day, last_day__gte=day)
        .exclude(id__in=list(without))
        .exclude(declined__contains=[halfdays.named(department_id=department_id, starts_at=starts_at)])
        # Whose old time in this department is being given back needs no other.
        .exclude(Exists(_given_back()))
        .order_by("missed_offers", "-points", "created_at", "id")
        .first()
    )


def _given_back() -> QuerySet[Rebooking]:
    kept = Place.objects.filter(hold_key=OuterRef("key"), state="held")
    return Rebooking.objects.filter(
        Exists(kept),
        state="open",
        resident_id=OuterRef("resident_id"),
        booking__slot__schedule__department_id=OuterRef("department_id"),
    )


def served(*, since: datetime | None = None) -> list[tuple[WaitingEntry, Booking]]:
    """Waits whose person has a place some other way, locked, each with its booking; `since` looks only at what was booked from then on."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVED.format(since=_SINCE if since else ""), {"since": since})
        found = dict(cursor.fetchall())
    if not found:
        return []
    bookings = Booking.objects.select_related("slot__schedule__department", "organization").in_bulk(found.values())
    entries = (
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("department", "organization")
        .filter(id__in=found, state__in=WAITING_LIVE)
        .order_by("id")
    )
    return [(entry, bookings[found[entry.pk]]) for entry in entries]


def run_out(*, now: datetime) -> list[WaitingEntry]:
    """Offers whose time has passed, locked."""
    return list(
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related(*_TOLD_WITH)
        .filter(state="offered", offered_until__lte=now)
        .order_by("offered_until")[:200]
    )


def unseen(*, today: date) -> list[WaitingEntry]:
    """Live waits that stand alone and were never opened to the clinic that is waited for: joined before it came to see them; locked."""
    sight = CareRelationship.objects.filter(
        resident_id=OuterRef("resident_id"),
        organization_id=OuterRef("organization_id"),
        episode=Concat(Value("waiting/"), Cast(OuterRef("key"), CharField())),
    )
    return list(
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(~Exists(sight), state__in=WAITING_LIVE, reference="", last_day__gte=today)
        .order_by("id")[:200]
    )


def over(*, today: date) -> list[WaitingEntry]:
    """Waits whose last day has passed, locked."""
    return list(
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related(*_TOLD_WITH)
        .filter(state="waiting", last_day__lt=today)
        .order_by("id")[:200]
    )


def get_entry(*, key: uuid.UUID | str, actor: Actor) -> WaitingEntry:
    """One entry as far as the actor may see it; raises NotFound."""
    found = entry_by_key(key=as_key(key))
    if found is None:
        raise NotFound()
    return found


def entry_by_key(*, key: uuid.UUID) -> WaitingEntry | None:
    """A wait by its key, as far as the actor may see it."""
    return _BY_KEY.one(key)


_BY_KEY = Remembered(lambda key: WaitingEntry.objects.filter(key=key).select_related(*_WITH).order_by("id")[:1])


def list_of(*, organization_ids: Iterable[int], sent: bool = False, text: str = "") -> list[WaitingEntry]:
    """The live waiting list of clinics, or of those whom these units sent, in the order of the rule; `text` means a resident, a department
    or a hospital.
    """
    ids = list(organization_ids)
    found = WaitingEntry.objects.filter(state__in=WAITING_LIVE).select_related(*_WITH)
    found = found.filter(source_organization_id__in=ids) if sent else found.filter(organization_id__in=ids)
    ordered = found.order_by("department__name", "-state", "missed_offers", "-points", "created_at")
    if not text:
        return list(ordered[:SHOWN])
    return [
        one
        for one in ordered[:SEARCHED]
        if text in f"{one.department.name} {one.organization.name}" or fits(one.resident, text)
    ][:SHOWN]


def ahead_of(entry: WaitingEntry, *, actor: Actor) -> int:
    """How many wait in the same department before this one; who asks need not see the others, of whom nothing but their number is said."""
    before = (
        Q(missed_offers__lt=entry.missed_offers)
        | Q(missed_offers=entry.missed_offers, points__gt=entry.points)
        | Q(missed_offers=entry.missed_offers, points=entry.points, created_at__lt=entry.created_at)
    )
    line = WaitingEntry.objects.filter(before, department_id=entry.department_id, state="waiting")
    with for_purpose(Purpose.HANDLER, actor):
        return line.count()


def departments_to_wait_for(*, organization_ids: Iterable[int], specialty: str) -> list[Department]:
    """The departments whose waiting list somebody may join who found nothing: those with a clinic that fits what was asked."""
    word = specialty.strip()
    found = Department.objects.filter(
        organization_id__in=list(organization_ids), schedules__is_active=True, closed_on__isnull=True
    )
    if word:
        found = found.filter(Q(name__icontains=word) | Q(schedules__practitioner__specialty__icontains=word))
    return list(found.select_related("organization").distinct().order_by("code")[:3])
