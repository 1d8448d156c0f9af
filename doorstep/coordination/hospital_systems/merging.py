"""A merge that a hospital reports waits for the records office, which looks at both records side by side."""

from uuid import UUID

from django.db import transaction

from doorstep.coordination.hospital_systems.models import MergeNotice
from doorstep.coordination.hospital_systems.people import Person
from doorstep.coordination.hospital_systems.states import REPORTED
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.exchange.formats import Task
from doorstep.kernel.workflow import actions as workflow


@transaction.atomic
def report(*, survivor: Person, prior: Person, task: Task) -> MergeNotice:
    """Leave a notice for the hospital's records office; the same pair leaves one as long as it is open."""
    pair = MergeNotice.objects.filter(resident_id=survivor.id, prior_id=prior.id, state=REPORTED)
    found = MergeNotice.objects.filter(message_id=task.message.pk).first() or pair.first()
    if found is not None:
        return found
    notice = MergeNotice(
        resident_id=survivor.id,
        prior_id=prior.id,
        organization_id=task.connection.organization_id,
        message_id=task.message.pk,
    )
    return workflow.begin(notice, "report", actor=task.actor)


def confirm_merged(*, keys: set[str], actor: Actor) -> int:
    """Close the notices about two records that were merged; returns how many. The system calls this."""
    rows = MergeNotice.objects.filter(state=REPORTED, resident__key__in=keys, prior__key__in=keys)
    for notice in rows:
        workflow.apply(notice, "confirm", actor=actor)
    return len(rows)


def dismiss(*, notice: MergeNotice, reason: str, actor: Actor) -> MergeNotice:
    """The two are different people."""
    return workflow.apply(notice, "dismiss", actor=actor, reason=reason)


def get_notice(key: UUID | str, actor: Actor) -> MergeNotice:
    """The notice with this key; raises NotFound when it is not there or not the actor's."""
    rows = MergeNotice.objects.select_related("message", "resident", "prior")
    found = rows.filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found
