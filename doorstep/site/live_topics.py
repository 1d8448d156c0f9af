"""Which pushed messages a session may hear: the person's own, those of the current post's unit and role."""

from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.db import transaction
from django.http import HttpRequest

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import bind
from doorstep.site.actors import of_user


def topics_for(session_key: str) -> frozenset[str]:
    """Return the topics of a session; empty when it has ended, the password has changed or the account is closed."""
    with transaction.atomic():
        bind(system_actor(Purpose.SIGN_IN))
        user = _user(session_key)
        return topics_of(of_user(user)) if user is not None else frozenset()


def topics_of(actor: Actor) -> frozenset[str]:
    """Return the topics of an actor: user:1, organization:2, role:reader, role:reader:2, resident:3."""
    topics = {f"user:{actor.user_id}"}
    topics |= {f"resident:{identifier}" for identifier in actor.resident_ids}
    if actor.organization_id is not None:
        topics |= {f"organization:{actor.organization_id}", f"role:{actor.role}:{actor.organization_id}"}
    if actor.role:
        topics.add(f"role:{actor.role}")
    return frozenset(topics)


def _user(session_key: str) -> User | None:
    request = HttpRequest()
    request.session = cast("Any", import_module(settings.SESSION_ENGINE)).SessionStore(session_key)
    # get_user checks the password's hash, so that a changed password ends the old sessions here as well.
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None
