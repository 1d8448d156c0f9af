"""Reads of the residents' own pages: who offers places, the times one person can have, how many are before one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import queries, queue_queries, rules
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot, Ticket
from doorstep.coordination.scheduling.precedence import age_on
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident

# So many departments are shown; the page says so, and others are found by a word.
OFFERS_SHOWN = 40
_OFFERS = """
SELECT d.key, d.name, o.name, o.tier, min(s.starts_at) FILTER (WHERE q.free > 0), coalesce(sum(q.free), 0)::int,
       string_agg(DISTINCT p.name, '、')
  FROM scheduling_schedule c
  JOIN organizations_department d ON d.id = c.department_id
  JOIN organizations_organization o ON o.id = c.organization_id
  LEFT JOIN workforce_practitioner p ON p.id = c.practitioner_id
  JOIN scheduling_slot s ON s.schedule_id = c.id AND s.starts_at > %(now)s AND s.starts_at < %(until)s AND s.stopped_at IS NULL
  JOIN LATERAL (SELECT count(*) AS free FROM scheduling_place z WHERE z.slot_id = s.id AND z.quota = ANY(%(quotas)s)
                  AND (z.state = 'free' OR (z.state = 'held' AND z.held_until <= %(now)s))) q ON true
 WHERE c.is_active AND (%(organization)s::bigint IS NULL OR c.organization_id = %(organization)s)
   AND (c.consortium_id = %(consortium)s OR %(consortium)s::bigint IS NULL)
   AND (%(text)s = '' OR d.name ILIKE %(like)s OR o.name ILIKE %(like)s OR p.name ILIKE %(like)s OR p.specialty ILIKE %(like)s
        OR coalesce(s.facility_id, c.facility_id) IN (SELECT m.id FROM scheduling_facility m WHERE m.name ILIKE %(like)s)
        OR s.kind_id IN (SELECT k.id FROM scheduling_visitkind k WHERE k.name ILIKE %(like)s))
   AND (%(obstetrics)s OR (d.code <> '05.02' AND d.name NOT LIKE '产科%%'))
 GROUP BY d.id, o.id ORDER BY min(s.starts_at) FILTER (WHERE q.free > 0) NULLS LAST, o.tier DESC, d.code LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """A department that offers places: its next free time and how many are left in the days to come."""

    key: uuid.UUID
    department: str
    organization: str
    tier: int
    next_at: datetime | None
    left: int
    experts: str | None


def offers(
    *,
    person: Resident,
    text: str,
    days: int,
    organization_id: int | None = None,
    quotas: Sequence[str] = ("contract", "open"),
    only_fitting: bool = True,
) -> list[Offer]:
    """The departments that offer places of these quotas, at first what a resident alone may book, the soonest first; those without places come last.

    Whoever types nothing is offered what fits (`rules.offers_obstetrics`) unless `only_fitting` is off; a typed word finds every department.
    """
    now = timezone.now()
    fits = rules.offers_obstetrics(person.gender, age_on(person.birth_date, timezone.localdate()))
    with connection.cursor() as cursor:
        cursor.execute(
            _OFFERS,
            {
                "now": now,
                "most": OFFERS_SHOWN,
                "until": now + timedelta(days=days),
                "quotas": list(quotas),
                "consortium": person.consortium_id,
                "organization": organization_id,
                "text": text,
                "obstetrics": bool(text) or fits or not only_fitting,
                "like": f"%{text}%",
            },
        )
        return [Offer(*row) for row in cursor.fetchall()]


def department(*, key: uuid.UUID | str) -> Department:
    """A department by its key; raises NotFound."""
    found = Department.objects.filter(key=queries.as_key(key)).select_related("organization").first()
    if found is None:
        raise NotFound()
    return found


def is_expected(*, resident_id: int, slot_key: uuid.UUID) -> bool:
    """Whether the person has a place of this very slot already."""
    return Booking.objects.filter(resident_id=resident_id, slot__key=slot_key, state__in=EXPECTED).exists()


def department_key(*, department_id: int) -> uuid.UUID:
    """The key of a department that is there."""
    return Department.objects.values_list("key", flat=True).get(pk=department_id)


def times(
    *, department: Department, person: Resident, origin: str, actor: Actor, days: int
) -> list[tuple[date, Sequence[SlotChoice]]]:
    """The free times of a department for a person, by day."""
    found = queries.free_slots(
        organization_ids=[department.organization_id],
        department_id=department.pk,
        origin=origin,
        until=timezone.now() + timedelta(days=days),
        unit=person.organization_id,
        limit=120,
        actor=actor,
    )
    return [(day, list(slots)) for day, slots in groupby(found, key=lambda slot: timezone.localdate(slot.starts_at))]


def described(days: Sequence[tuple[date, Sequence[SlotChoice]]]) -> dict[int, str]:
    """Of the times that are shown: the kind of visit with its length, and the room or machine, in one query; "" where neither is said."""
    shown = [slot.id for _day, slots in days for slot in slots]
    found = Slot.objects.filter(id__in=shown).select_related("kind", "facility", "schedule__facility")
    return {slot.pk: _words(slot) for slot in found}


def releases(*, department: Department) -> list[tuple[int, time]]:
    """By which rule a department's times are released: so many days before at an hour, each rule once, those of most days first."""
    rules = Schedule.objects.filter(department=department, is_active=True, release_days__isnull=False)
    found = rules.order_by("-release_days", "release_at").values_list("release_days", "release_at").distinct()
    return [(before or 0, at) for before, at in found]


def _words(slot: Slot) -> str:
    kind = (
        _("%(name)s（%(minutes)s 分钟）") % {"name": slot.kind.name, "minutes": slot.kind.minutes} if slot.kind else ""
    )
    return " · ".join(part for part in (kind, slot.room.name if slot.room else "") if part)


def ahead(booking: Booking, *, actor: Actor) -> int | None:
    """How many are called before a checked-in person; None before check-in."""
    ticket = Ticket.objects.filter(booking=booking).first() if booking.state == "arrived" else None
    return queue_queries.ahead_of(ticket, actor=actor) if ticket is not None and ticket.state == "waiting" else None


def to_change(*, key: str, person: Resident) -> Booking | None:
    """The person's own booking that is to be moved; None where nothing is, or it stands no more."""
    if not key:
        return None
    rows = Booking.objects.filter(key=queries.as_key(key), resident_id=person.pk, state="booked")
    return rows.select_related("slot__schedule__practitioner", "slot__schedule__department").first()
