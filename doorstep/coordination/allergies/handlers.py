"""Reactions to what happens to residents."""

from doorstep.coordination.allergies import actions
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def renew_lists(event: Event) -> None:
    """Two records were merged or parted: the list of each names the allergies that it holds now."""
    keys = [event.subject_key, str(event.details.get("former", ""))]
    actions.renew_lists(keys=keys, actor=system_actor(Purpose.HANDLER))
