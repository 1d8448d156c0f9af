"""A reported merge waits for a person; where the resident index can merge, the confirmed pair is handed to it."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from doorstep.coordination.hospital_systems.models import MergeNotice
from doorstep.coordination.hospital_systems.people import Person
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.exchange.formats import Task
from doorstep.kernel.workflow import actions as workflow

# (the resident who stays, the one who goes into it, why, who) -> nothing; raises Refused.
Merge = Callable[[int, int, str, Actor], None]
_merge: list[Merge] = []


def install(merge: Merge) -> None:
    """Wire the act that makes two residents one; the last one counts."""
    _merge[:] = [merge]


def can_merge() -> bool:
    """Whether the resident index merges here; else the notice only says that somebody has checked."""
    return bool(_merge)


@transaction.atomic
def report(*, survivor: Person, prior: Person, task: Task) -> MergeNotice:
    """Leave a notice for the hospital's registrar; the same message leaves one only."""
    found = MergeNotice.objects.filter(message_id=task.message.pk).first()
    if found is not None:
        return found
    notice = MergeNotice(
        resident_id=survivor.id,
        prior_id=prior.id,
        organization_id=task.connection.organization_id,
        message_id=task.message.pk,
    )
    return workflow.begin(notice, "report", actor=task.actor)


@transaction.atomic
def confirm(*, notice: MergeNotice, actor: Actor) -> MergeNotice:
    """The two are one person: merge them where the index can."""
    confirmed = workflow.apply(notice, "confirm", actor=actor)
    if _merge:
        _merge[0](notice.resident_id, notice.prior_id, _("院内系统合并（ADT A40），已核对"), actor)
    return confirmed


def dismiss(*, notice: MergeNotice, reason: str, actor: Actor) -> MergeNotice:
    """The two are different people."""
    return workflow.apply(notice, "dismiss", actor=actor, reason=reason)


def get_notice(key: UUID | str, actor: Actor) -> MergeNotice:
    """The notice with this key; raises NotFound when it is not there or not the actor's."""
    found = MergeNotice.objects.select_related("message").filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found
