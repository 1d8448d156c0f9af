"""Reads of slots, places and bookings."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from doorstep.coordination.scheduling.halfdays import half_day_of
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot, WeeklySession
from doorstep.coordination.scheduling.rules import Quota, quotas_for
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import ask
from doorstep.people.organizations.models import Department, Organization


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot as it is offered: when, where, with whom, and how many places are left for the asked origin."""

    id: int
    key: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    organization_id: int
    organization_name: str
    department_id: int
    department_name: str
    practitioner_name: str
    title: str
    specialty: str
    service: str
    left: int
    total: int
    schedule_key: uuid.UUID

    @property
    def who(self) -> str:
        """The expert, or the department where no name is given."""
        return self.practitioner_name or self.department_name

    def is_called(self, parts: Iterable[str]) -> bool:
        """Whether one of these is in the name of the department, the speciality or the expert."""
        return any(part in f"{self.department_name} {self.specialty} {self.practitioner_name}" for part in parts)


ORIGINS = tuple(str(quota) for quota in Quota)

_CHOICE = """
SELECT s.id, s.key, s.starts_at, s.ends_at, s.organization_id, o.name, d.id, d.name,
       coalesce(p.name, ''), coalesce(p.title, ''), coalesce(p.specialty, ''), c.service, f.free, f.total, c.key
  FROM scheduling_slot s
  JOIN scheduling_schedule c ON c.id = s.schedule_id
  JOIN organizations_organization o ON o.id = s.organization_id
  JOIN organizations_department d ON d.id = c.department_id
  LEFT JOIN workforce_practitioner p ON p.id = c.practitioner_id
  JOIN LATERAL (
    SELECT count(*) FILTER (
             WHERE (q.state = 'free' OR (q.state = 'held' AND q.held_until <= %(now)s)) AND q.quota = ANY(%(quotas)s)
               AND (q.origin_organization_id IS NULL OR q.origin_organization_id = ANY(%(origins)s)
                    OR q.origin_organization_id = ANY(
                      (SELECT x.path FROM organizations_organization x WHERE x.id = %(unit)s)::bigint[]))) AS free,
           count(*) FILTER (WHERE q.state <> 'closed') AS total
      FROM scheduling_place q WHERE q.slot_id = s.id) f ON true
 WHERE {where}
 ORDER BY {order} LIMIT %(limit)s
"""

# Asked of an index first: the places of a slot that is full are never counted, and there may be hundreds before a free one.
_OPEN = (
    "s.stopped_at IS NULL AND c.is_active AND (SELECT true FROM scheduling_place h"
    " WHERE h.slot_id = s.id AND h.state IN ('free', 'held') LIMIT 1) AND f.free > 0"
)
# The room or machine of a time, or its kind of visit, by a part of the name: an examination is asked for by these words.
_CALLED = (
    "coalesce(s.facility_id, c.facility_id) IN (SELECT m.id FROM scheduling_facility m WHERE m.name ILIKE %(pattern)s)"
    " OR s.kind_id IN (SELECT k.id FROM scheduling_visitkind k WHERE k.name ILIKE %(pattern)s)"
)
_FITS = "(d.name LIKE ANY (%(fitting)s) OR coalesce(p.specialty, '') LIKE ANY (%(fitting)s) OR coalesce(p.name, '') LIKE ANY (%(fitting)s))"


def free_slots(
    *,
    organization_ids: Iterable[int],
    origin: str,
    since: datetime | None = None,
    until: datetime | None = None,
    department_id: int | None = None,
    specialty: str = "",
    limit: int = 30,
    actor: Actor | None = None,
    unit: int | None = None,
    schedule_id: int | None = None,
    fitting: Sequence[str] = (),
) -> list[SlotChoice]:
    """Slots to come with a place left for this origin, earliest first, in one query.

    `specialty` matches the department's name, the expert's speciality, the room or machine, or the kind of visit by a part of it; slots where one of `fitting` does, or
    is in the expert's name, come before the others. Places that are reserved for
    certain units count only for an actor who reaches one of these, or whose unit (`unit` for a resident's own) lies below one.
    """
    now = timezone.now()
    where = [
        _OPEN,
        "s.organization_id = ANY(%(organizations)s)",
        "s.starts_at >= %(since)s",
        "(%(until)s::timestamptz IS NULL OR s.starts_at < %(until)s)",
        "(%(department)s::bigint IS NULL OR d.id = %(department)s)",
        "(%(schedule)s::bigint IS NULL OR c.id = %(schedule)s)",
        f"(%(specialty)s = '' OR d.name ILIKE %(pattern)s OR p.specialty ILIKE %(pattern)s OR {_CALLED})",
    ]
    asked: dict[str, Any] = {
        "origin": origin,
        "actor": actor,
        "now": now,
        "unit": unit,
        "schedule": schedule_id,
        "organizations": list(organization_ids),
        "since": max(since or now, now),
        "until": until,
        "department": department_id,
        "specialty": specialty.strip(),
        "pattern": f"%{specialty.strip()}%",
    }
    return _fitting_first(" AND ".join(where), fitting, limit=limit, asked=asked)


def _fitting_first(where: str, fitting: Sequence[str], *, limit: int, asked: dict[str, Any]) -> list[SlotChoice]:
    """Two narrow looks, each in the order of time: a sort by fitness would count the places of every slot of the hospital."""
    if not fitting:
        return _choices(where, "s.starts_at, s.id", limit=limit, **asked)
    asked["fitting"] = [f"%{word}%" for word in fitting]
    found = _choices(f"{where} AND {_FITS}", "s.starts_at, s.id", limit=limit, **asked)
    if len(found) < limit:
        found += _choices(f"{where} AND NOT {_FITS}", "s.starts_at, s.id", limit=limit - len(found), **asked)
    return found


def next_free(
    *, slot: SlotChoice, origin: str, actor: Actor, now: datetime, since: datetime | None = None
) -> SlotChoice | None:
    """The next slot with a place: with the same expert, else in the same department, else in the same hospital.

    Asked one after the other, so that the usual answer is one narrow look; the hospital at large is asked for two weeks.
    `since` is a moment before which the same expert is known to have nothing.
    """
    same = "s.schedule_id = (SELECT schedule_id FROM scheduling_slot WHERE id = %(slot)s)"
    wheres = (
        f"{same} AND s.starts_at >= %(since)s",
        "c.department_id = %(department)s AND s.starts_at < %(fortnight)s",
        "s.organization_id = %(organization)s AND s.starts_at < %(fortnight)s",
    )
    for where in wheres:
        found = _choices(
            f"{_OPEN} AND {where} AND s.starts_at > %(now)s AND s.id <> %(slot)s",
            "s.starts_at, s.id",
            origin=origin,
            actor=actor,
            now=now,
            since=since or now,
            limit=1,
            slot=slot.id,
            department=slot.department_id,
            organization=slot.organization_id,
            fortnight=now + timedelta(days=14),
        )
        if found:
            return found[0]
    return None


def opens_later(*, slot_key: uuid.UUID, now: datetime) -> bool:
    """Whether a slot is still kept for those who come first by rule."""
    return Slot.objects.filter(key=slot_key, opens_at__gt=now).exists()


def slot_detail(*, slot_key: uuid.UUID | str, origin: str = Quota.OPEN, actor: Actor | None = None) -> SlotChoice:
    """One slot with what is left for an origin; raises NotFound."""
    found = _choices(
        "s.key = %(key)s",
        "s.id",
        origin=origin,
        actor=actor,
        now=timezone.now(),
        limit=1,
        planned_once=True,
        key=as_key(slot_key),
    )
    if not found:
        raise NotFound()
    return found[0]


def is_expected(*, resident_id: int, slot_key: uuid.UUID) -> bool:
    """Whether the resident is expected anywhere during a slot, or in its clinic that half day."""
    slot = Slot.objects.select_related("schedule").get(key=slot_key)
    there = Q(period__overlap=(slot.starts_at, slot.ends_at))
    if half_day := half_day_of(slot):
        there |= Q(half_day=half_day)
    return Booking.objects.filter(there, resident_id=resident_id, state__in=EXPECTED).exists()


def get_booking(*, booking_key: uuid.UUID | str, actor: Actor) -> Booking:
    """A booking of the actor's units; raises NotFound."""
    found = (
        Booking.objects.filter(key=as_key(booking_key))
        .select_related(
            "slot__schedule__department",
            "slot__schedule__practitioner",
            "slot__schedule__facility",
            "slot__facility",
            "organization",
        )
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def booking_by_id(*, booking_id: int) -> Booking | None:
    """A booking by its number, as far as the actor may see it."""
    return Booking.objects.filter(pk=booking_id).first()


def booking_of(*, reference: str) -> Booking | None:
    """The newest booking for a thing ("referral/<key>"), as far as the actor may see it."""
    return (
        Booking.objects.filter(reference=reference)
        .select_related("slot__schedule__department", "slot__schedule__practitioner", "organization")
        .order_by("-created_at")
        .first()
    )


def bookings_of_resident(*, resident_id: int, limit: int = 20) -> list[Booking]:
    """The resident's bookings, newest first, as far as the actor may see them."""
    return list(
        Booking.objects.filter(resident_id=resident_id)
        .select_related("slot__schedule__department", "slot__schedule__practitioner", "organization")
        .order_by("-period")[:limit]
    )


def counts(*, slot_ids: Iterable[int] | None = None) -> dict[str, int]:
    """How many places are free, held and booked (expired holds count as held until they are swept or taken).

    Places that were added for one person, who gave them back, are closed and count no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM scheduling_place"
            " WHERE %s::bigint[] IS NULL OR slot_id = ANY(%s) GROUP BY state",
            [ids := (None if slot_ids is None else list(slot_ids)), ids],
        )
        found: dict[str, int] = dict(cursor.fetchall())
    return {name: found.get(name, 0) for name in ("free", "held", "booked")}


def schedules(*, organization_ids: Iterable[int]) -> list[Schedule]:
    """The schedules of units: by department, then by expert."""
    return list(
        Schedule.objects.filter(organization_id__in=list(organization_ids))
        .select_related("department", "practitioner", "facility", "organization")
        .order_by("department__name", "practitioner__name", "id")
    )


def get_schedule(*, schedule_key: uuid.UUID | str, actor: Actor) -> Schedule:
    """A schedule of the actor's units; raises NotFound."""
    found = (
        Schedule.objects.filter(key=as_key(schedule_key))
        .select_related("department", "practitioner", "facility")
        .first()
    )
    if found is None or not actor.reaches(found.organization_id):
        raise NotFound()
    return found


def sessions_of(*, schedule_id: int) -> list[WeeklySession]:
    """The weekly sessions of a schedule."""
    return list(
        WeeklySession.objects.filter(schedule_id=schedule_id)
        .select_related("kind")
        .order_by("only_on", "weekday", "starts", F("since").asc(nulls_first=True))
    )


def slots_between(
    *, organization_id: int, since: datetime, until: datetime, schedule_id: int | None = None
) -> list[Slot]:
    """Every slot of a unit, or of one of its schedules, in a time with its places, in two queries."""
    found = Slot.objects.filter(organization_id=organization_id, starts_at__gte=since, starts_at__lt=until)
    if schedule_id is not None:
        found = found.filter(schedule_id=schedule_id)
    return list(
        found.select_related("schedule__department", "schedule__practitioner", "schedule__organization")
        .select_related("schedule__facility", "facility")
        .prefetch_related("places")
        .order_by("schedule__department__name", "schedule_id", "starts_at")
    )


def next_start(*, organization_id: int, since: datetime) -> datetime | None:
    """When the next slot of a unit begins from an instant on; None when none is laid out."""
    later = Slot.objects.filter(organization_id=organization_id, starts_at__gte=since)
    return later.order_by("starts_at").values_list("starts_at", flat=True).first()


def bookings_in(*, slot_ids: Sequence[int]) -> list[Booking]:
    """The bookings of slots that were not cancelled, as far as the actor may see them."""
    return list(
        Booking.objects.filter(slot_id__in=slot_ids)
        .exclude(state="cancelled")
        .select_related("source_organization")
        .order_by("period", "place__number")
    )


def organization_ids(values: Iterable[str]) -> list[int]:
    """The ids behind keys or ids out of an address; what is neither is left out."""
    keys, ids = [], []
    for value in values:
        if value.isascii() and value.isdecimal():
            ids.append(int(value))
        else:
            try:
                keys.append(uuid.UUID(value))
            except ValueError:
                continue
    return list(Organization.objects.filter(Q(key__in=keys) | Q(id__in=ids)).values_list("id", flat=True))


def departments_with_schedules(*, organization_id: int) -> list[Department]:
    """The departments of a unit that offer something."""
    return list(
        Department.objects.filter(organization_id=organization_id, schedules__isnull=False).distinct().order_by("code")
    )


def get_department(*, key: uuid.UUID | str, actor: Actor) -> Department:
    """A department of the actor's units; raises NotFound."""
    found = Department.objects.filter(key=as_key(key)).select_related("organization").first()
    if found is None or not actor.reaches(found.organization_id):
        raise NotFound()
    return found


def as_key(value: uuid.UUID | str) -> uuid.UUID:
    """A key out of an address; what is no key is not found."""
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise NotFound() from error


def _choices(
    where: str,
    order: str,
    *,
    origin: str,
    actor: Actor | None,
    now: datetime,
    limit: int,
    unit: int | None = None,
    planned_once: bool = False,
    **values: Any,
) -> list[SlotChoice]:
    # Only for the look at one slot: what orders slots by time and is planned for any values counts the places of all first.
    statement = _CHOICE.format(where=where, order=order)
    values |= {
        "now": now,
        "quotas": list(quotas_for(origin)),
        "origins": list(actor.reach) if actor else [],
        "unit": unit or (actor.organization_id if actor else None),
        "limit": limit,
    }
    if planned_once:
        return [SlotChoice(*row) for row in ask(statement, values)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [SlotChoice(*row) for row in cursor.fetchall()]
