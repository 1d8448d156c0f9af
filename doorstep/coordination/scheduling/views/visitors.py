"""Who stands at a machine or is on the telephone: kept in the session for a moment, acting with the own reach and no more."""

import secrets
import time

from django.http import HttpRequest

from doorstep.kernel.access.actor import Actor, ActorKind

# Resident pages' own permission is not needed to book for oneself; a machine lends nothing of its own.
_NOTHING: frozenset[str] = frozenset()


def remember(request: HttpRequest, name: str, resident_id: int, *, seconds: int, **more: str) -> None:
    """Keep who was identified, for so long from the last sign of life; `call` tells the pages of one from those of the next."""
    call = {"call": secrets.token_hex(8)}
    request.session[name] = {"resident": resident_id, "until": time.time() + seconds, **call, **more}


def remembered(request: HttpRequest, name: str, *, seconds: int) -> dict[str, object] | None:
    """Who was identified, when that is not over yet; asking is a sign of life. None when nobody is there."""
    held = request.session.get(name)
    if not held or held["until"] < time.time():
        forget(request, name)
        return None
    held["until"] = time.time() + seconds
    request.session[name] = held
    found: dict[str, object] = held
    return found


def forget(request: HttpRequest, name: str) -> None:
    """Nobody stands there any more."""
    request.session.pop(name, None)


def person_of(operator: Actor, resident_id: int) -> Actor:
    """The resident as the one who acts, at the machine or by the voice of an operator, whose account stays in the trail."""
    return Actor(
        kind=ActorKind.RESIDENT,
        display_name=f"{operator.organization_name} {operator.display_name}"[:80],
        user_id=operator.user_id,
        role="resident",
        role_label=operator.role_label,
        consortium_id=operator.consortium_id,
        permissions=_NOTHING,
        resident_ids=(resident_id,),
        address=operator.address,
        request_id=operator.request_id,
    )
