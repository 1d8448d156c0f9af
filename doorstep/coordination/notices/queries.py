"""Reads of notices: those to the person, to the unit of the present post and its role, to the resident."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import ask
from doorstep.people.residents.named import Named, named


def latest(*, actor: Actor, limit: int = 50, before: datetime | None = None) -> list[Notice]:
    """The actor's notices, newest first."""
    found = _mine(actor)
    if before is not None:
        found = found.filter(created_at__lt=before)
    return list(found.order_by("-created_at")[:limit])


def unseen(*, actor: Actor, limit: int = 500) -> list[Notice]:
    """What nobody has seen yet, newest first."""
    return list(_mine(actor).filter(seen_at__isnull=True).order_by("-created_at")[:limit])


def count_unseen(*, actor: Actor) -> int:
    """How many notices wait; counts to 100. Every page asks, so the statement is written out and not built each time."""
    values = [actor.user_id, actor.organization_id, actor.role, ["", *actor.permissions]]
    if not actor.resident_ids:
        return int(ask(_UNSEEN_BY_STAFF, values)[0][0])
    return int(ask(_UNSEEN, [*values, list(actor.resident_ids)])[0][0])


_WAITING = """
SELECT count(*) FROM (
    SELECT FROM notices_notice WHERE seen_at IS NULL AND (user_id = %s OR (organization_id = %s AND role IN ('', %s) AND permission = ANY (%s::text[])){}) LIMIT 100) waiting
"""
_UNSEEN = _WAITING.format(" OR resident_id = ANY (%s::bigint[])")
# With residents in it the database plans the statement anew each time, which takes ten times as long as the count.
_UNSEEN_BY_STAFF = _WAITING.format("")


def get_notice(*, notice_key: uuid.UUID | str, actor: Actor) -> Notice:
    """One of the actor's notices; raises NotFound."""
    try:
        key = uuid.UUID(str(notice_key))
    except ValueError as error:
        raise NotFound() from error
    found = _mine(actor).filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def urgent_notice(*, reference: str, actor: Actor) -> Notice | None:
    """The unseen urgent notice that a push named, else the newest unseen urgent one."""
    urgent = _mine(actor).filter(urgent=True, seen_at__isnull=True)
    try:
        named = urgent.filter(key=uuid.UUID(reference)).first()
    except ValueError:
        named = None
    return named or urgent.order_by("-created_at").first()


def concerned(notices: Iterable[Notice], *, actor: Actor) -> dict[int, Named]:
    """The residents whom notices are about, in one query; those whom the wall hides from the actor are left out."""
    ids = {notice.about_id for notice in notices if notice.about_id}
    return named(ids=ids) if actor.record_reach else {}


def by_ids(ids: Iterable[int]) -> QuerySet[Notice]:
    """Notices by their row ids."""
    return Notice.objects.filter(id__in=list(ids))


def _mine(actor: Actor) -> QuerySet[Notice]:
    to_me = Q(user_id=actor.user_id)
    if actor.organization_id is not None:
        to_me |= Q(
            organization_id=actor.organization_id,
            role__in=["", actor.role],
            permission__in=["", *actor.permissions],
        )
    if actor.resident_ids:
        to_me |= Q(resident_id__in=actor.resident_ids)
    return Notice.objects.filter(to_me)
