"""Reads of accounts' bounds: relationships, reviews and hospital systems."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import ApiClient, App, BreakGlassReview, CareRelationship, Launch
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import Remembered


def list_relationships(*, resident_id: int, actor: Actor) -> list[CareRelationship]:
    """The resident's care relationships, newest first, as far as the actor may see them."""
    return _RELATIONSHIPS.rows(resident_id)


_RELATIONSHIPS = Remembered(
    lambda resident_id: CareRelationship.objects.filter(resident_id=resident_id).order_by("-opened_at")[:200]
)


def live_relationship(*, resident_id: int, actor: Actor, at: datetime | None = None) -> CareRelationship | None:
    """The widest live relationship by which the actor sees the resident: the ground that the audit entry names."""
    moment = at or timezone.now()
    rank = models.Case(
        models.When(scope="full", then=0),
        models.When(scope="episode", then=1),
        default=2,
        output_field=models.IntegerField(),
    )
    return (
        CareRelationship.objects.filter(resident_id=resident_id, organization_id__in=actor.record_reach)
        .filter(models.Q(closes_at__isnull=True) | models.Q(closes_at__gt=moment))
        .annotate(rank=rank)
        .order_by("rank", "-opened_at")
        .first()
    )


def may_begin_visit(*, resident_id: int, organization_id: int) -> bool:
    """Whether the actor's unit may begin a visit without another proof of presence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_may_begin_visit(%s, %s)", [resident_id, organization_id])
        return bool(cursor.fetchone()[0])


def ground_among(relationships: Iterable[CareRelationship], *, actor: Actor) -> CareRelationship | None:
    """The same as `live_relationship`, out of relationships that were read already."""
    now = timezone.now()
    live = [
        one
        for one in relationships
        if one.organization_id in actor.record_reach and (one.closes_at is None or one.closes_at > now)
    ]
    rank = {CareRelationship.Scope.FULL.value: 0, CareRelationship.Scope.EPISODE.value: 1}
    return min(live, key=lambda one: (rank.get(one.scope, 2), -one.opened_at.timestamp()), default=None)


def pending_reviews(*, limit: int = 50) -> list[BreakGlassReview]:
    """Emergency looks that nobody has judged yet, oldest first."""
    return list(BreakGlassReview.objects.filter(verdict="pending").order_by("opened_at")[:limit])


def get_review(*, key: UUID, organization_ids: Iterable[int]) -> BreakGlassReview:
    """One emergency look of these units; raises NotFound when there is none."""
    found = BreakGlassReview.objects.filter(key=key, organization_id__in=list(organization_ids)).first()
    if found is None:
        raise NotFound()
    return found


def client_by_id(client_id: int) -> ApiClient:
    """The connected hospital system with this id."""
    return ApiClient.objects.get(id=client_id)


def client_by_name(name: str) -> ApiClient | None:
    """The connected hospital system of this name, or None when there is none or it was revoked."""
    return ApiClient.objects.filter(name=name, revoked_at__isnull=True).first()


def client_by_issuer(issuer: str) -> ApiClient | None:
    """The connected system that names itself so in its JWTs: by the registered issuer, else by its name."""
    known = ApiClient.objects.filter(revoked_at__isnull=True).exclude(jwks={})
    return known.filter(models.Q(issuer=issuer) | models.Q(issuer="", name=issuer)).first() if issuer else None


def list_clients(*, organization_ids: Iterable[int]) -> list[ApiClient]:
    """The connected systems of these units that were not revoked, by name."""
    found = ApiClient.objects.filter(organization_id__in=list(organization_ids), revoked_at__isnull=True)
    return list(found.order_by("display", "id"))


def apps() -> list[App]:
    """The apps that can be opened from a record, by name."""
    return _APPS.rows()


_APPS = Remembered(lambda: App.objects.filter(closed_at__isnull=True).order_by("name"))


def app_named(name: str) -> App | None:
    """The app of this name, None when there is none or it was closed."""
    return App.objects.filter(name=name, closed_at__isnull=True).first()


def launch_waiting(*, token: str, app: str) -> bool:
    """Whether a launch parameter may still be used by this app."""
    return launched_for(token=token, app=app) is not None


def launched_for(*, token: str, app: str) -> UUID | None:
    """The key of the resident for whom an app was opened, while its launch parameter may still be used; None for another."""
    waiting = Launch.objects.filter(token_hash=token_hash(token), app__name=app, used_at__isnull=True)
    return (
        waiting.filter(app__closed_at__isnull=True, expires_at__gt=timezone.now())
        .values_list("patient", flat=True)
        .first()
    )


def launch_behind(
    *, code_id: int | None = None, family: UUID | None = None, access_id: int | None = None
) -> Launch | None:
    """The opening that a code, a family of refresh tokens or an access token came of, None for a standalone app."""
    known = Launch.objects.filter(app__closed_at__isnull=True)
    if code_id is not None:
        return known.filter(code_id=code_id).first()
    if family is not None:
        return known.filter(family=family).first()
    return known.filter(access_id=access_id).first() if access_id is not None else None


def token_hash(token: str) -> str:
    """The form in which a bearer token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def standing_of(*, resident_id: int) -> int:
    """Who a resident is now: the record that it was merged into, or itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_standing(%s)", [resident_id])
        return int(cursor.fetchone()[0])


def formers_of(*, resident_id: int) -> list[int]:
    """The records that were merged into this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT former FROM access_formers(%s) AS found (former) ORDER BY former", [resident_id])
        return [former for (former,) in cursor.fetchall()]
