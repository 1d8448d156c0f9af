"""Reads of visits."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from doorstep.coordination.visits import states
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound

CHINA = ZoneInfo("Asia/Shanghai")


def get_visit(key: UUID | str, actor: Actor) -> Visit:
    """The visit with this key; raises NotFound when it is not there or not the actor's."""
    visit = Visit.objects.select_related("resident", "organization", "practitioner").filter(key=key).first()
    if visit is None:
        raise NotFound()
    actor.check(Access.RECORD_VIEW)
    return visit


def visits_today(actor: Actor, *, limit: int = 200) -> list[Visit]:
    """The visits that the actor's units opened since midnight in China, newest first."""
    return list(
        Visit.objects.select_related("resident", "practitioner", "organization")
        .filter(organization_id__in=actor.reach, created_at__gte=midnight())
        .order_by("-created_at")[:limit]
    )


def open_visit_of(*, resident_id: int, organization_id: int) -> Visit | None:
    """The visit in progress of a resident at a unit, or None."""
    return (
        Visit.objects.select_related("resident", "organization", "practitioner")
        .filter(resident_id=resident_id, organization_id=organization_id, state=states.IN_PROGRESS)
        .first()
    )


def midnight() -> datetime:
    """The moment when today began in China."""
    return datetime.combine(timezone.localdate(timezone=CHINA), time.min, tzinfo=CHINA)
