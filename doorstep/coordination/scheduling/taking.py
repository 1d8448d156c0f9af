"""Going for a place: the one call of the database that claims it, and what comes back as models that need no further query."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from doorstep.coordination.scheduling.models import Facility, Schedule, Slot
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.rules import Quota, quotas_for
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import NotFound
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner

# How long a clinic sees a booking's episode after its time; platform default.
VIEW_AFTER = timedelta(days=7)
# The columns o_resident to o_resident_consortium of scheduling_take.
_PERSON = ("id", "key", "name", "birth_date", "deceased_on", "organization_id", "consortium_id")
# The ground that stands in the trail when the sight is not passed on by somebody who has it.
_OWN_WORD, _OWN_DESK = "居民本人预约", "本院窗口预约"

_TAKE = """
SELECT t.*, scheduling_signed(t.o_resident, %(day)s), (SELECT d.code FROM organizations_department d WHERE d.id = t.o_department),
  m.id, m.key, m.name, m.kind FROM scheduling_take(%(slot)s, %(hold)s, %(resident)s, %(patient)s, %(request)s, %(quotas)s::text[],
  %(reach)s::bigint[], %(unit)s, %(first)s, %(key)s, %(until)s, %(now)s, %(user)s, %(holder)s, %(anybody)s, %(booking)s,
  %(sight)s, %(basis)s, %(view)s, %(consortium)s) AS t
  LEFT JOIN LATERAL (SELECT f.id, f.key, f.name, f.kind FROM scheduling_slot z JOIN scheduling_schedule h ON h.id = z.schedule_id
    JOIN scheduling_facility f ON f.id = coalesce(z.facility_id, h.facility_id) WHERE z.id = t.o_slot LIMIT 1) m ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody goes for: a place of a slot, or the place behind a hold; for whom, and what is to become of it.

    `until` keeps the place instead of booking it, `first` lets in before places open for all, `request` finds what a resend
    had booked already, `booking` is the key of the booking to be, whose episode the clinic may read from now on.
    """

    actor: Actor
    now: datetime
    slot: uuid.UUID | None = None
    hold: uuid.UUID | None = None
    resident_id: int | None = None
    resident_key: uuid.UUID | None = None
    request: uuid.UUID | None = None
    origin: str = Quota.OPEN.value
    unit: int | None = None
    first: bool = False
    key: uuid.UUID | None = None
    until: datetime | None = None
    anybody: bool = False
    booking: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A place that was claimed, with its slot as models that need no further query."""

    place_id: int
    number: int
    quota: str
    slot: Slot
    # The key of the booking whose episode the clinic may read already; None when nothing was opened.
    booking: uuid.UUID | None = None
    # Whether a contract was in force for the resident on that day; None when no resident was named.
    signed: bool | None = None

    def choice(self) -> SlotChoice:
        """The slot as it is shown; how many places are left is not known here."""
        slot, schedule = self.slot, self.slot.schedule
        expert = schedule.practitioner
        return SlotChoice(
            id=slot.pk,
            key=slot.key,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            organization_id=slot.organization_id,
            organization_name=slot.organization.name,
            department_id=schedule.department_id,
            department_name=schedule.department.name,
            practitioner_name=expert.name if expert else "",
            title=expert.title if expert else "",
            specialty=expert.specialty if expert else "",
            service=schedule.service,
            left=0,
            total=0,
            schedule_key=schedule.key,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it; `outcome` is a word of scheduling_take (sql/1_take.sql), `taken` is there when it is "taken"."""

    outcome: str
    taken: Taken | None = None
    resident: Resident | None = None
    earlier_id: int | None = None


def take(ask: Ask) -> Answer:
    """Go for a place in one statement; raises NotFound when the actor may not let the clinic see the resident."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, _values(ask))
            row = cursor.fetchone()
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42501":
            raise NotFound() from error
        raise
    return _answer(row, ask)


def sight_of(actor: Actor) -> tuple[str, str]:
    """How scheduling_show lets the clinic see a booking of this actor, and the ground that stands in the trail."""
    return ("own", _OWN_WORD) if actor.kind is ActorKind.RESIDENT else ("desk", _OWN_DESK)


def _values(ask: Ask) -> dict[str, Any]:
    actor = ask.actor
    sight, basis = sight_of(actor)
    return {
        "slot": ask.slot,
        "hold": ask.hold,
        "resident": ask.resident_id,
        "patient": ask.resident_key,
        "request": ask.request,
        "quotas": list(quotas_for(ask.origin)),
        "reach": list(actor.reach),
        "unit": ask.unit,
        "first": ask.first,
        "key": ask.key,
        "until": ask.until,
        "now": ask.now,
        "user": actor.user_id,
        "holder": actor.organization_id,
        "anybody": ask.anybody or actor.is_system,
        "booking": ask.booking,
        "sight": "" if ask.booking is None else sight,
        "basis": basis,
        "view": VIEW_AFTER,
        "consortium": actor.consortium_id,
        "day": timezone.localdate(ask.now),
    }


def _answer(row: tuple[Any, ...], ask: Ask) -> Answer:
    outcome, earlier_id, person, signed = row[0], row[1], row[2:9], row[31]
    resident = _resident(person) if person[0] is not None else None
    if outcome != "taken":
        return Answer(outcome, resident=resident, earlier_id=earlier_id)
    taken = Taken(
        row[9],
        row[10],
        row[11],
        _slot((*row[12:31], *row[32:37])),
        ask.booking,
        None if resident is None else bool(signed),
    )
    return Answer(outcome, taken, resident)


def _resident(row: tuple[Any, ...]) -> Resident:
    """What a booking reads of the resident; sealed fields stay sealed, opening them costs more than all the rest."""
    values = dict(zip(_PERSON, row, strict=True))
    # A model is made from a row in the order of its own columns.
    names = [field.attname for field in Resident._meta.concrete_fields if field.attname in values]
    return Resident.from_db(connection.alias, names, [values[name] for name in names])


def _slot(row: tuple[Any, ...]) -> Slot:
    expert = Practitioner(id=row[14], key=row[15], name=row[16], title=row[17], specialty=row[18]) if row[14] else None
    schedule = Schedule(
        id=row[9],
        key=row[10],
        service=row[11],
        organization_id=row[4],
        department=Department(id=row[12], name=row[13], code=row[19]),
        practitioner=expert,
    )
    room = Facility(id=row[20], key=row[21], name=row[22], kind=row[23]) if row[20] else None
    return Slot(
        id=row[0],
        key=row[1],
        starts_at=row[2],
        ends_at=row[3],
        organization=Organization(id=row[4], name=row[8]),
        stop_reason=row[5],
        stopped_at=row[2] if row[6] else None,
        consortium_id=row[7],
        schedule=schedule,
        facility=room,
    )
