"""Reactions to what happened elsewhere."""

from doorstep.care.diagnosis import actions
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def note_outcome(event: Event) -> None:
    """Take down how a case ended, told by an event whose details carry origin="ecg-order/<key>" and outcome="…"."""
    machine, _, key = str(event.details.get("origin", "")).partition("/")
    outcome = str(event.details.get("outcome", ""))
    if machine == EcgOrder.machine.name and key and outcome:
        actions.note_outcome(order_key=key, outcome=outcome, actor=system_actor(Purpose.HANDLER))


def end_for_death(event: Event) -> None:
    """Take back the orders of a resident who has died that no recording was sent for."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)
