"""Reactions: a signed contract is opened to the whole team; a death ends it."""

from doorstep.care.contracts import actions
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def open_to_team(event: Event) -> None:
    """Give the centre and the village clinic what the signature gave the signing unit."""
    actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
    actions.open_to_team(contract_key=event.subject_key, actor=actor)


def end_for_death(event: Event) -> None:
    """End the contracts of a resident who has died."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)
