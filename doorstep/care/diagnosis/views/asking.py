"""What every view of the centre asks of its request."""

from uuid import UUID

from django.http import HttpRequest, QueryDict

from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.refusals import NotFound


def actor_of(request: HttpRequest) -> Actor:
    """The person who looks; somebody without a session finds nothing here."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if actor.kind is ActorKind.ANONYMOUS:
        raise NotFound()
    return actor


def key_of(text: str) -> UUID | None:
    """A key from a query string, or None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form sent, also when it sent nothing; None for a page that is only looked at."""
    return request.POST if request.method == "POST" else None
