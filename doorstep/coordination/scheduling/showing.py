"""Telling the record what can be had: Schedule and Slot resources, written after the acts and only when they changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from doorstep.coordination.scheduling.fhir import facility_resource, schedule_resource, service_resource, slot_resource
from doorstep.coordination.scheduling.models import Schedule, Slot
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import actions as record

# Bookings move in bursts: one look a second at the slots of the bookings that moved replaces a job for each booking.
# They come first, once each, and each is asked for a place by itself: planned as one, every slot that there is was asked for its
# bookings, and every free place of the house was read.
_TURNED = """
WITH moved AS MATERIALIZED (SELECT DISTINCT b.slot_id FROM scheduling_booking b WHERE b.state_since > %(since)s)
SELECT s.id FROM moved m
  JOIN scheduling_slot s ON s.id = m.slot_id
  LEFT JOIN LATERAL (
    SELECT true AS there FROM scheduling_place q
     WHERE q.slot_id = m.slot_id AND q.state IN ('free', 'held') AND (q.state = 'free' OR q.held_until <= %(now)s) LIMIT 1) AS free ON true
 WHERE s.stopped_at IS NULL AND s.shown <> CASE WHEN free.there THEN 'free' ELSE 'busy' END
 ORDER BY s.id LIMIT 200
"""
# Longer than a statement may run, so that hardly an act is longer under way. Whatever took longer, and what moved while no worker
# looked, is found by the long look.
_LOOK_BACK = timedelta(seconds=35)
_LONG_LOOK_BACK = timedelta(minutes=10)


def show(*, slot_ids: Sequence[int], actor: Actor, with_schedule: bool = False) -> int:
    """Write the resources of slots, and of their schedule; returns how many slots."""
    slots = _with_free(slot_ids=slot_ids)
    if with_schedule and slots:
        show_schedule(schedule=slots[0][0].schedule, actor=actor)
    rooms = {slot.room.pk: slot.room for slot, _free in slots if slot.room is not None}
    for room in rooms.values():
        record.publish(facility_resource(room), resident_id=None, actor=actor)
    for slot, free in slots:
        record.publish(slot_resource(slot, free=free), resident_id=None, actor=actor)
    for shown, ids in (
        ("free", [slot.pk for slot, free in slots if free]),
        ("busy", [slot.pk for slot, free in slots if not free]),
    ):
        Slot.objects.filter(id__in=ids).exclude(shown=shown).update(shown=shown)
    return len(slots)


def show_schedule(*, schedule: Schedule, actor: Actor) -> None:
    """Write the resources of a schedule: the room or machine, what it offers, and itself."""
    if schedule.facility is not None:
        record.publish(facility_resource(schedule.facility), resident_id=None, actor=actor)
    for published in (service_resource(schedule), schedule_resource(schedule)):
        record.publish(published, resident_id=None, actor=actor)


@transaction.atomic
def show_turned(*, actor: Actor, now: datetime | None = None, long: bool = False) -> int:
    """Write the slots that turned from free to busy or back in the last half minute, or (`long`) in the last ten; returns how many."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_TURNED, {"since": now - (_LONG_LOOK_BACK if long else _LOOK_BACK), "now": now})
        ids = [row[0] for row in cursor.fetchall()]
    return show(slot_ids=ids, actor=actor) if ids else 0


def _with_free(*, slot_ids: Sequence[int]) -> list[tuple[Slot, int]]:
    """Slots with the number of places that nobody has booked or holds, whatever the quota."""
    now = timezone.now()
    free = Count("places", filter=Q(places__state="free") | Q(places__state="held", places__held_until__lte=now))
    found = (
        Slot.objects.filter(id__in=slot_ids)
        .select_related(
            "schedule__department",
            "schedule__practitioner",
            "schedule__facility__organization",
            "facility__organization",
        )
        .annotate(free=free)
        .order_by("starts_at")
    )
    return [(slot, slot.free) for slot in found]
