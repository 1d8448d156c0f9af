"""Reactions: schedules and slots are told to the record after the act, off its path; stopped clinics call off, resumed ones give back."""

from doorstep.coordination.scheduling import resuming_actions, showing, stopping_actions
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def publish_slots(event: Event) -> None:
    """Publish the slots that an event names (`slot_ids`), and their schedule."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    showing.show(slot_ids=[int(found) for found in event.details["slot_ids"]], with_schedule=True, actor=actor)


def call_off_bookings(event: Event) -> None:
    """Call off what was booked in slots that were stopped."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    stopping_actions.call_off(
        slot_ids=list(event.details["slot_ids"]), reason=str(event.details["reason"]), actor=actor
    )


def give_back_times(event: Event) -> None:
    """Give people back their old time in slots that take place after all."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    resuming_actions.give_back_times(slot_ids=list(event.details["slot_ids"]), actor=actor)


def end_for_death(event: Event) -> None:
    """Give back what was booked for a resident who has died, and end the resident's waits."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        stopping_actions.end_for_death(resident_id=event.resident_id, actor=actor)
