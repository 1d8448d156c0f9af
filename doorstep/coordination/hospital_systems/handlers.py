"""Reactions to what happens to residents."""

from doorstep.coordination.hospital_systems import merging
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event


def close_merge_notices(event: Event) -> None:
    """Two records were merged: what a hospital had reported of them is done."""
    keys = {event.subject_key, str(event.details.get("former", ""))}
    merging.confirm_merged(keys=keys, actor=system_actor(Purpose.HANDLER))
