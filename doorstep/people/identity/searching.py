"""When the whole index is searched for records of one person: every night, and when the records office asks."""

from datetime import datetime

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.jobs import outbox
from doorstep.people.residents.permissions import Permission

JOB = "doorstep.find_doubles"
# The hour in which nobody waits for the two cores.
_HOUR = 2


@transaction.atomic
def call(*, actor: Actor) -> bool:
    """Have the index searched soon; False when a search waits already."""
    actor.check(Permission.RESIDENT_MERGE)
    try:
        with transaction.atomic():
            outbox.defer(JOB, lock=JOB, queueing_lock=JOB)
    except AlreadyEnqueued:
        return False
    audit.record(action="resident.link-call", actor=actor)
    return True


def call_at_night(*, now: datetime, actor: Actor) -> int:
    """The same every night; asked every hour, `now` in local time."""
    return int(now.hour == _HOUR and call(actor=actor))
