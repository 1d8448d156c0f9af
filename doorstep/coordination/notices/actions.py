"""Telling somebody something, and noting that it was seen."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from doorstep.coordination.notices import channels, queries
from doorstep.coordination.notices.audience import ALL, Audience
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import insert
from doorstep.kernel.web.push import push
from doorstep.people.residents import queries as residents

# Without RETURNING: who tells another unit may not read what that unit is told.
_INSERT = """
INSERT INTO notices_notice (key, consortium_id, user_id, organization_id, role, resident_id, about_id, kind, params, link,
    acknowledge_link, permission, urgent, first_role, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s)
"""


def tell(
    *,
    kind: str,
    user_id: int | None = None,
    organization_id: int | None = None,
    role: str = "",
    among: Audience = ALL,
    resident_id: int | None = None,
    about: int | None = None,
    link: str = "",
    acknowledge_link: str = "",
    params: Mapping[str, Any] | None = None,
    urgent: bool = False,
    actor: Actor | None = None,
) -> uuid.UUID:
    """Tell a user, a unit (or one role of it, or those `among` it who may act) or a resident something, in the page at once; returns the notice's key.

    `about` is the resident whom it concerns, whose name is shown to readers who may see that resident. Exactly one of `user_id`,
    `organization_id` and `resident_id` is given, else ValueError. A dead resident is told nothing. What is pushed carries the key
    alone; the page asks for the text itself.
    """
    audience = _audience(user_id=user_id, organization_id=organization_id, role=role, resident_id=resident_id)
    key = uuid.uuid4()
    if resident_id is not None and residents.is_deceased(resident_id=resident_id):
        # Nobody reminds the dead: the key names a notice that was not written.
        return key
    facts = dict(params or {})
    row: list[Any] = [actor.consortium_id if actor else None, user_id, organization_id, role, resident_id, about, kind]
    row += [json.dumps(facts, ensure_ascii=False), link, acknowledge_link, among.permission, urgent, among.first_role]
    insert(_INSERT, [key, *row, timezone.now()])
    push(to=[audience], kind="critical" if urgent else "notice", reference=str(key))
    if among.first_role:
        audience = f"role:{among.first_role}:{organization_id}"
    channels.deliver(audience=audience, kind=kind, params=facts, urgent=urgent)
    return key


def mark_seen(*, notice_key: uuid.UUID | str, actor: Actor) -> bool:
    """Note that the actor has seen a notice; returns False when somebody had seen it already."""
    notice = queries.get_notice(notice_key=notice_key, actor=actor)
    return _seen([notice.pk], actor) == 1


def mark_all_seen(*, actor: Actor) -> int:
    """Note that the actor has seen everything that does not need an acknowledgement; returns how many there were."""
    return _seen([notice.pk for notice in queries.unseen(actor=actor) if not notice.acknowledge_link], actor)


def _seen(ids: list[int], actor: Actor) -> int:
    count = queries.by_ids(ids).filter(seen_at__isnull=True).update(seen_at=timezone.now(), seen_by_id=actor.user_id)
    if count and actor.user_id is not None:
        push(to=[f"user:{actor.user_id}"], kind="notice", reference="")
    return count


def _audience(*, user_id: int | None, organization_id: int | None, role: str, resident_id: int | None) -> str:
    if [user_id, organization_id, resident_id].count(None) != 2:
        raise ValueError("A notice goes to exactly one of user_id, organization_id and resident_id.")
    if user_id is not None:
        return f"user:{user_id}"
    if resident_id is not None:
        return f"resident:{resident_id}"
    return f"role:{role}:{organization_id}" if role else f"organization:{organization_id}"
