"""Telephoning about a stopped clinic or an offered place: who was not reached, how often and when."""

import uuid

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import booking_queries, waiting_queries
from doorstep.coordination.scheduling.models import Rebooking, WaitingEntry
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.states import WAITING_LIVE
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.audit import actions as audit


@transaction.atomic
def miss_rebooking(*, key: uuid.UUID | str, actor: Actor) -> None:
    """Note that somebody whose clinic stopped did not answer the telephone; the task and its clock go on."""
    actor.check(Permission.SLOT_BOOK)
    task = booking_queries.get_rebooking(key=key, actor=actor)
    missed = Rebooking.objects.filter(pk=task.pk, state="open")
    _note(missed.update(calls_missed=F("calls_missed") + 1, called_at=timezone.now()), "rebooking", task, actor)


@transaction.atomic
def miss_wait(*, key: uuid.UUID | str, actor: Actor) -> None:
    """Note that somebody on the waiting list did not answer the telephone; an offer stands until its time."""
    actor.check(Permission.SLOT_BOOK)
    entry = waiting_queries.get_entry(key=key, actor=actor)
    missed = WaitingEntry.objects.filter(pk=entry.pk, state__in=WAITING_LIVE)
    _note(missed.update(calls_missed=F("calls_missed") + 1, called_at=timezone.now()), "waiting", entry, actor)


def _note(changed: int, what: str, item: Rebooking | WaitingEntry, actor: Actor) -> None:
    if not changed:
        now = item.machine.state(item.state).zh
        raise Conflict(_("现在的状态是“%(state)s”，不必再联系。") % {"state": now})
    audit.record(
        action=f"{what}.not-reached",
        actor=actor,
        subject=item.subject,
        resident_id=item.resident_id,
        details={"calls": item.calls_missed + 1},
    )
