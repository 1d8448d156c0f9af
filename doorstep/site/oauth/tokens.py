"""The actor behind an access token: a hospital system, or a person through an app, never more than the person may."""

import hashlib
from dataclasses import replace
from typing import Any

from django.utils import timezone
from oauth2_provider.models import AccessToken

from doorstep.kernel.access import agreements
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import ANONYMOUS, Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.models import Launch
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.session import bind, for_purpose
from doorstep.kernel.fhir.door import Grant
from doorstep.kernel.fhir.scopes import Scopes, parse
from doorstep.site.actors import of_system, of_user
from doorstep.site.oauth.identity import agreed_patient, chosen_of


def grant_of(token: str, *, address: str, request_id: str) -> Grant | None:
    """What an access token gives, None when it is unknown, revoked or expired."""
    found = _living(token)
    if found is None or found.application is None:
        return None
    scopes = parse(found.scope)
    if found.user is None:
        client = access.client_by_name(found.application.client_id)
        if client is None:
            return None
        return Grant(of_system(client, address=address, request_id=request_id), _of(scopes, "system"))
    actor = _person(found, address=address, request_id=request_id) if found.user.is_active else None
    if actor is None or (actor.kind is ActorKind.STAFF and actor.post_id is None):
        # Without a post nobody works here any more: the token ends with the last one.
        return None
    if actor.kind is ActorKind.RESIDENT:
        return Grant(actor, _of(scopes, "patient"))
    return _opened_for_one(actor, scopes, _launch_of(found))


def patient_of(token: str) -> str:
    """The key of the one patient that a living token was given for, "" where there is none (SMART launch context)."""
    found = _living(token)
    if found is None or found.user is None:
        return ""
    with for_purpose(Purpose.SIGN_IN, ANONYMOUS):
        launch = access.launch_behind(access_id=found.pk)
        agreement = agreements.behind(access_id=found.pk)
    if launch is not None:
        return str(launch.patient)
    agreed = agreed_patient(found.user, agreement)
    return agreed[1] if agreed else ""


def _living(token: str) -> Any:
    checksum = hashlib.sha256(token.encode()).hexdigest()
    return (
        AccessToken.objects.select_related("application", "user")
        .filter(token_checksum=checksum, expires__gt=timezone.now())
        .first()
    )


def _opened_for_one(actor: Actor, scopes: Scopes, launch: Launch | None) -> Grant:
    """What a member of staff's token gives; scopes of a patient count when the app was opened for one."""
    if launch is None:
        return Grant(actor, _of(scopes, "user"))
    if "patient" in scopes.contexts:
        # Whoever the person may see besides: an app that was opened for one patient sees that one.
        actor = replace(actor, only_resident_id=launch.resident_id)
    return Grant(actor, _of(scopes, "user", "patient"))


def _launch_of(token: Any) -> Launch | None:
    bind(system_actor(Purpose.SIGN_IN))
    return access.launch_behind(access_id=token.pk)


def _person(found: Any, *, address: str, request_id: str) -> Actor | None:
    """The person, reading; a resident's app sees the one person who was agreed to, while the account acts for that person."""
    actor = of_user(found.user, address=address, request_id=request_id)
    if actor.kind is ActorKind.RESIDENT:
        chosen = chosen_of(agreements.behind(access_id=found.pk), actor.resident_ids)
        if chosen is None:
            return None
        actor = replace(actor, resident_ids=(chosen,))
    called = str(found.application.name or found.application.client_id)
    actor = replace(actor, client=str(found.application.client_id)[:50], app=called[:36])
    return actor.with_permissions({*actor.permissions, Permission.FHIR_READ})


def _of(scopes: Scopes, *contexts: str) -> Scopes:
    return Scopes(tuple(one for one in scopes.granted if one[0] in contexts))
