"""Reads of visits."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from doorstep.coordination.visits import pregnancy, states
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.pregnancy import Said
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record

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


def pregnancy_known(*, resident_id: int) -> Said | None:
    """The newest word of the record on a pregnancy that still holds, from any unit; one query."""
    content = record.latest_observation(resident_id=resident_id, code=f"{systems.LOINC}|{pregnancy.LOINC}")
    if content is None or content.get("status") in ("entered-in-error", "cancelled"):
        return None
    try:
        on = datetime.fromisoformat(str(content.get("effectiveDateTime", ""))).astimezone(CHINA).date()
    except ValueError:
        return None
    said, today = pregnancy.from_observation(content, on=on), timezone.localdate(timezone=CHINA)
    holds = said is not None and (pregnancy.carries(said, day=today) or pregnancy.nurses(said, day=today))
    return said if holds else None


def midnight() -> datetime:
    """The moment when today began in China."""
    return datetime.combine(timezone.localdate(timezone=CHINA), time.min, tzinfo=CHINA)


def may_begin(*, resident_id: int, actor: Actor) -> bool:
    """Whether a visit of today is in progress at the actor's unit, or one may begin without another proof of presence."""
    if actor.organization_id is None:
        return False
    running = open_visit_of(resident_id=resident_id, organization_id=actor.organization_id)
    if running is not None and running.created_at >= midnight():
        return True
    return access.may_begin_visit(resident_id=resident_id, organization_id=actor.organization_id)
