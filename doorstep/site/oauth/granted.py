"""The apps that a person has let in, and ending it: every token that was given is void from that moment."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from oauth2_provider.models import AccessToken, Grant, RefreshToken

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


def apps_of(*, user_id: int) -> list[GrantedApp]:
    """The apps that can read in this person's name now, or renew that without asking again."""
    renewing = RefreshToken.objects.filter(user_id=user_id, revoked=None, access_token__isnull=False)
    living = AccessToken.objects.filter(user_id=user_id, expires__gt=timezone.now())
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


def stop(*, name: str, actor: Actor) -> str:
    """End what an app was given; returns what the app is called. Raises NotFound when it holds nothing of this person."""
    app = next((one for one in apps_of(user_id=actor.user_id or 0) if one.name == name), None)
    if app is None:
        raise NotFound()
    own = {"user_id": actor.user_id, "application__client_id": name}
    Grant.objects.filter(**own).delete()
    RefreshToken.objects.filter(**own, revoked=None).update(revoked=timezone.now())
    AccessToken.objects.filter(**own).delete()
    for resident_id in actor.resident_ids[:1]:
        audit.record(
            action="app.stop",
            actor=actor,
            subject=f"app/{name}",
            resident_id=resident_id,
            details={"app": app.display},
        )
    return app.display
