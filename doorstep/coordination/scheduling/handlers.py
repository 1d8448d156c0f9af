"""Reactions: schedules and slots are told to the record after the act, off its path."""

from doorstep.coordination.scheduling import actions, clinic_actions, queries
from doorstep.coordination.scheduling.fhir import schedule_resource, slot_resource
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record


def publish_slots(event: Event) -> None:
    """Publish the slots that an event names (`slot_ids` or `slot_id`), and their schedule when they are new."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    facts = event.details
    ids = [int(found) for found in facts.get("slot_ids") or [facts["slot_id"]]]
    slots = queries.slots_with_free(slot_ids=ids)
    if "slot_ids" in facts and slots:
        record.publish(schedule_resource(slots[0][0].schedule), resident_id=None, actor=actor)
    for slot, free in slots:
        record.publish(slot_resource(slot, free=free), resident_id=None, actor=actor)


def call_off_bookings(event: Event) -> None:
    """Call off what was booked in slots that were stopped."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    clinic_actions.call_off(slot_ids=list(event.details["slot_ids"]), reason=str(event.details["reason"]), actor=actor)


def end_for_death(event: Event) -> None:
    """Give back what was booked for a resident who has died."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)
