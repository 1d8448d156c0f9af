"""The apps that a person has let in, and ending it: every token that was given is void from that moment."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from doorstep.kernel.access import agreements
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.audit import actions as audit
from doorstep.site.oauth.scopes import told


@dataclass(frozen=True, slots=True)
class GrantedApp:
    """An app with a living token of a person: since when, and what it may see."""

    name: str
    display: str
    since: datetime
    lines: tuple[str, ...]


def apps_of(*, user_id: int, resident_id: int) -> list[GrantedApp]:
    """The apps that an account let see this person and that can read now, or renew that without asking again."""
    agreed = agreements.of(user_id=user_id, resident_id=resident_id)
    renewing = RefreshToken.objects.filter(
        user_id=user_id, revoked=None, access_token__isnull=False, token_family__in=[one.family for one in agreed]
    )
    living = AccessToken.objects.filter(
        user_id=user_id, expires__gt=timezone.now(), pk__in=[one.access_id for one in agreed]
    )
    rows = [
        *renewing.values_list("application__client_id", "application__name", "created", "access_token__scope"),
        *living.values_list("application__client_id", "application__name", "created", "scope"),
    ]
    found: dict[str, list[tuple[str, datetime, str]]] = {}
    for name, display, since, scope in rows:
        if name:
            found.setdefault(name, []).append((display or name, since, scope))
    return [
        GrantedApp(
            name,
            given[0][0],
            min(since for _display, since, _scope in given),
            tuple(told(" ".join(scope for _display, _since, scope in given).split())),
        )
        for name, given in sorted(found.items())
    ]


def stop(*, name: str, resident_id: int, actor: Actor) -> str:
    """End what an app was given for one person; returns what the app is called. Raises NotFound when it holds nothing of it."""
    user_id = actor.user_id or 0
    app = next((one for one in apps_of(user_id=user_id, resident_id=resident_id) if one.name == name), None)
    if app is None:
        raise NotFound()
    agreements.end(user_id=user_id, resident_id=resident_id, client=name)
    audit.record(
        action="app.stop",
        actor=actor,
        subject=f"app/{name}",
        resident_id=resident_id,
        details={"app": app.display},
    )
    return app.display
