"""The statements on places: one row per place, claimed with SKIP LOCKED. Whether a hold still stands is decided by time."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from doorstep.coordination.scheduling.models import Schedule, Slot
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.coordination.scheduling.rules import quotas_for
from doorstep.kernel.access.actor import Actor
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.workforce.models import Practitioner

# What a hold or a booking shows of its slot, read with the claim itself.
_FACTS = """
  s.id, s.key, s.starts_at, s.ends_at, s.organization_id, s.stop_reason, s.stopped_at IS NOT NULL, s.consortium_id, o.name,
  c.id, c.key, c.service, d.id, d.name, p.id, p.key, p.name, p.title, p.specialty
  FROM taken t
  JOIN scheduling_slot s ON s.id = t.slot_id
  JOIN scheduling_schedule c ON c.id = s.schedule_id
  JOIN organizations_organization o ON o.id = s.organization_id
  JOIN organizations_department d ON d.id = c.department_id
  LEFT JOIN workforce_practitioner p ON p.id = c.practitioner_id
"""

_CLAIM = (
    """
WITH picked AS (
  SELECT q.id FROM scheduling_place q JOIN scheduling_slot z ON z.id = q.slot_id
   WHERE z.key = %(slot)s AND z.stopped_at IS NULL AND z.starts_at > %(now)s
     AND q.quota = ANY(%(quotas)s)
     AND (q.state = 'free' OR (q.state = 'held' AND q.held_until <= %(now)s))
     AND (q.quota <> 'open' OR z.opens_at <= %(now)s OR %(first)s)
     AND (q.origin_organization_id IS NULL OR q.origin_organization_id = ANY(%(origins)s)
          OR q.origin_organization_id = ANY((SELECT o.path FROM organizations_organization o WHERE o.id = %(unit)s)::bigint[]))
   ORDER BY array_position(%(quotas)s, q.quota::text), q.origin_organization_id NULLS LAST, q.number
   LIMIT 1 FOR UPDATE OF q SKIP LOCKED),
taken AS (
  UPDATE scheduling_place q
     SET state = %(state)s, hold_key = %(key)s, held_until = %(until)s, held_by_id = %(user)s, held_organization_id = %(holder)s
    FROM picked WHERE q.id = picked.id RETURNING q.id, q.slot_id, q.number, q.quota)
SELECT t.id, t.number, t.quota,"""
    + _FACTS
)

_TAKE = (
    """
WITH taken AS (
  UPDATE scheduling_place SET state = 'booked', hold_key = NULL, held_until = NULL
   WHERE hold_key = %(key)s AND state = 'held' AND held_until > %(now)s
     AND (%(anybody)s OR held_organization_id = ANY(%(units)s) OR (held_organization_id IS NULL AND held_by_id = %(user)s))
  RETURNING id, slot_id, number, quota)
SELECT t.id, t.number, t.quota,"""
    + _FACTS
)

_FREE = "state = 'free', hold_key = NULL, held_until = NULL, held_by_id = NULL, held_organization_id = NULL"


@dataclass(frozen=True, slots=True)
class Taken:
    """A place that was claimed, with its slot as models that need no further query."""

    place_id: int
    number: int
    quota: str
    slot: Slot

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
        )


def claim(
    *,
    slot_key: uuid.UUID,
    origin: str,
    actor: Actor,
    unit: int | None,
    now: datetime,
    until: datetime | None,
    key: uuid.UUID,
    first: bool,
) -> Taken | None:
    """Claim the best free place of a slot for an origin: held until a moment, or booked at once without one.

    `unit` is whose shares may be used, with the units above it; `first` lets somebody in before places open for all.
    """
    return _one(
        _CLAIM,
        {
            "slot": slot_key,
            "quotas": list(quotas_for(origin)),
            "now": now,
            "origins": list(actor.reach),
            "unit": unit,
            "holder": actor.organization_id,
            "first": first,
            "state": "held" if until else "booked",
            "key": key if until else None,
            "until": until,
            "user": actor.user_id,
        },
    )


def take(*, hold_key: uuid.UUID, actor: Actor, now: datetime, anybody: bool = False) -> Taken | None:
    """Turn a hold that still stands into a booked place; None when it has run out, or is somebody else's."""
    return _one(
        _TAKE,
        {
            "key": hold_key,
            "now": now,
            "units": list(actor.reach),
            "user": actor.user_id,
            "anybody": anybody or actor.is_system,
        },
    )


def free_hold(*, hold_key: uuid.UUID, actor: Actor, anybody: bool = False) -> bool:
    """Give a held place back; returns False when the hold had gone already."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scheduling_place SET {_FREE} WHERE hold_key = %s AND state = 'held'"
            " AND (%s OR held_organization_id = ANY(%s) OR (held_organization_id IS NULL AND held_by_id = %s))",
            [hold_key, anybody or actor.is_system, list(actor.reach), actor.user_id],
        )
        return bool(cursor.rowcount == 1)


def free_place(*, place_id: int) -> bool:
    """Give a booked place back; a place that was added over the template is gone with its booking."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scheduling_place SET {_FREE} WHERE id = %s AND state = 'booked' AND NOT is_extra", [place_id]
        )
        freed = bool(cursor.rowcount == 1)
        if not freed:
            cursor.execute(
                "UPDATE scheduling_place SET state = 'closed' WHERE id = %s AND state = 'booked' AND is_extra",
                [place_id],
            )
        return freed


def sweep(*, now: datetime) -> int:
    """Free the places whose hold has run out; never waits for somebody who is booking one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (SELECT id FROM scheduling_place WHERE state = 'held' AND held_until <= %s"
            " ORDER BY held_until LIMIT 1000 FOR UPDATE SKIP LOCKED)"
            f" UPDATE scheduling_place q SET {_FREE} FROM gone WHERE q.id = gone.id",
            [now],
        )
        return int(cursor.rowcount)


def _one(statement: str, values: dict[str, Any]) -> Taken | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return Taken(row[0], row[1], row[2], _slot(row[3:])) if row else None


def _slot(row: tuple[Any, ...]) -> Slot:
    expert = Practitioner(id=row[14], key=row[15], name=row[16], title=row[17], specialty=row[18]) if row[14] else None
    schedule = Schedule(
        id=row[9],
        key=row[10],
        service=row[11],
        organization_id=row[4],
        department=Department(id=row[12], name=row[13]),
        practitioner=expert,
    )
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
    )
