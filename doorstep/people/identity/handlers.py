"""Reactions to records that were merged or parted."""

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event
from doorstep.people.residents import standing


def renew_lists(event: Event) -> None:
    """The lists of problems and medicines say what each record holds now; a record that is no more has none that counts."""
    keys = [event.subject_key, str(event.details.get("former", ""))]
    standing.renew(keys=keys, actor=system_actor(Purpose.HANDLER))
