"""Opening and closing care relationships, breaking the glass, issuing tokens."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import ApiClient, App, BreakGlassReview, CareRelationship, Launch, SensitiveOpening
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.queries import token_hash
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.database.calls import Call, run

EMERGENCY_LOOK = timedelta(hours=24)
# An app that was opened asks for its code at once; the person may have to read what it wants.
LAUNCH_LASTS = timedelta(minutes=5)


def open_relationship(
    *,
    resident_id: int,
    organization_id: int,
    reason: CareRelationship.Reason,
    actor: Actor,
    scope: CareRelationship.Scope = CareRelationship.Scope.FULL,
    episode: str = "",
    category: str = "",
    sensitive: bool = False,
    closes_at: datetime | None = None,
    basis: str = "",
    presence_id: int | None = None,
    savepoint: bool = True,
) -> int:
    """Open a care relationship; the database decides whether the actor may.

    A visit or a contract needs a fresh proof of presence (a visit also goes with a live contract); a referral, an order
    or a consultation passes on only what the sender's unit has. Raises NotFound when the database refuses: somebody
    who may not see the resident does not learn that there is one. Without a `savepoint` a refusal ends the transaction:
    for acts that are rolled back as a whole.
    """
    call = opening(
        resident_id=resident_id,
        organization_id=organization_id,
        reason=reason,
        actor=actor,
        scope=scope,
        episode=episode,
        category=category,
        sensitive=sensitive,
        closes_at=closes_at,
        basis=basis,
        presence_id=presence_id,
    )
    with refused_as_not_found(), transaction.atomic(savepoint=savepoint):
        return int(run([call])[0])


def opening(
    *,
    resident_id: int,
    organization_id: int,
    reason: CareRelationship.Reason,
    actor: Actor,
    scope: CareRelationship.Scope = CareRelationship.Scope.FULL,
    episode: str = "",
    category: str = "",
    sensitive: bool = False,
    closes_at: datetime | None = None,
    basis: str = "",
    presence_id: int | None = None,
) -> Call:
    """The call that opens a care relationship, for an act that sends it with its traces inside `refused_as_not_found`."""
    values = (
        resident_id,
        organization_id,
        actor.consortium_id,
        reason.value,
        scope.value,
        episode,
        category,
        sensitive,
        closes_at,
        basis[:400],
        presence_id,
    )
    return Call("access_open", values)


@contextmanager
def refused_as_not_found() -> Iterator[None]:
    """Around a statement by which the database may refuse a relationship: whoever may not see the resident finds nobody."""
    try:
        yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42501":
            raise NotFound() from error
        raise


def closing(*, resident_id: int, reason: CareRelationship.Reason, episode: str) -> Call:
    """The call that ends the relationships of one episode, for an act that sends it with its traces."""
    return Call("access_close", (resident_id, reason.value, episode))


def closing_by(*, resident_id: int, reason: CareRelationship.Reason, episode: str, until: datetime) -> Call:
    """The call that lets the relationships of one episode end at an instant to come; none is lengthened by it."""
    return Call("access_close_by", (resident_id, reason.value, episode, until))


def close_relationship(*, resident_id: int, reason: CareRelationship.Reason, episode: str, actor: Actor) -> int:
    """End the relationships of one episode now; returns how many ended."""
    return int(run([closing(resident_id=resident_id, reason=reason, episode=episode)])[0])


def close_for_unit(
    *, resident_id: int, reason: CareRelationship.Reason, episode: str, organization_id: int, actor: Actor
) -> int:
    """End one unit's relationship of an episode that others go on with; returns how many ended."""
    call = Call("access_close_of", (resident_id, reason.value, episode, organization_id))
    return int(run([call])[0])


def check_glass_reason(reason: str) -> None:
    """Refuse a reason for breaking the glass that says too little."""
    if len(reason.strip()) < BreakGlassReview.SHORTEST_REASON:
        raise Refused(
            _("紧急查阅需要写明理由。"),
            fields={"reason": _("请用不少于 10 个字写明为什么必须现在查看这位居民的档案。")},
        )


@transaction.atomic
def break_glass(*, resident_id: int, reason: str, actor: Actor) -> BreakGlassReview:
    """Open the whole record of a resident for 24 hours in an emergency; the look is told and reviewed.

    The reason must say in ten characters or more why nothing else would do.
    """
    actor.check(Permission.GLASS_BREAK)
    check_glass_reason(reason)
    reason = reason.strip()
    if actor.organization_id is None or actor.user_id is None:
        raise NotFound()
    relationship_id = open_relationship(
        resident_id=resident_id,
        organization_id=actor.organization_id,
        reason=CareRelationship.Reason.EMERGENCY,
        actor=actor,
        sensitive=True,
        closes_at=timezone.now() + EMERGENCY_LOOK,
        basis=reason,
    )
    return BreakGlassReview.objects.create(
        relationship_id=relationship_id,
        resident_id=resident_id,
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        reason=reason[:400],
    )


@transaction.atomic
def open_sensitive(*, resident_id: int, purpose: str, words: str, actor: Actor) -> datetime:
    """Let the acting person read a resident's sensitive entries, for a purpose; returns until when.

    It ends with the session, the post or the relationship, and after four hours at the latest. The database opens; raises
    Refused without a purpose or words, NotFound when the actor does not see the whole record.
    """
    actor.check(Permission.SENSITIVE_OPEN)
    fields = {}
    if purpose not in SensitiveOpening.Purpose.values:
        fields["purpose"] = _("请选择查看目的。")
    if len(words.strip()) < 4:
        fields["words"] = _("请用不少于 4 个字写明这次为什么需要查看。")
    if fields:
        raise Refused(_("查看敏感内容需要写明目的。"), fields=fields)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT access_unveil(%s, %s, %s)", [resident_id, purpose, words])
            ends: datetime = cursor.fetchone()[0]
            return ends
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42501":
            raise NotFound() from error
        raise


def close_sensitive(*, resident_id: int, actor: Actor) -> int:
    """End what the acting person opened of a resident's sensitive entries; returns how many openings ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_veil(%s)", [resident_id])
        return int(cursor.fetchone()[0])


def judge_look(*, review: BreakGlassReview, verdict: BreakGlassReview.Verdict, judgement: str, actor: Actor) -> None:
    """Write an auditor's verdict on an emergency look; nobody judges the own look, and none is judged twice."""
    actor.check(Permission.GLASS_REVIEW)
    if review.user_id == actor.user_id:
        raise Refused(_("不能复核自己的紧急查阅，请由其他审计员复核。"))
    if len(judgement.strip()) < 2:
        raise Refused(_("请写明复核意见。"), fields={"judgement": _("请写明复核依据，例如核对了哪次急诊。")})
    changed = BreakGlassReview.objects.filter(pk=review.pk, verdict=BreakGlassReview.Verdict.PENDING).update(
        verdict=verdict, judgement=judgement.strip()[:400], judged_by_id=actor.user_id, judged_at=timezone.now()
    )
    if not changed:
        raise Conflict(_("这条紧急查阅已由其他审计员复核。"))


def issue_token(*, name: str, display: str, organization_id: int, actor: Actor) -> str:
    """Register a hospital system, or renew its token; the token is returned once and kept only as a hash."""
    token = secrets.token_urlsafe(32)
    ApiClient.objects.update_or_create(
        name=name,
        defaults={
            "display": display,
            "organization_id": organization_id,
            "token_hash": token_hash(token),
            "issued_at": timezone.now(),
            "revoked_at": None,
        },
    )
    return token


def register_keys(
    *,
    name: str,
    display: str,
    organization_id: int,
    jwks: dict[str, Any],
    scopes: str,
    actor: Actor,
    issuer: str = "",
    jku: str = "",
    follows_jku: bool = False,
) -> ApiClient:
    """Register a hospital system that signs its assertions with these keys, or renew its keys and scopes.

    `follows_jku` says that other keys are read from `jku` when it signs with one that is not among these.

    Raises Conflict when another system carries the same `issuer`.
    """
    if issuer and ApiClient.objects.filter(issuer=issuer).exclude(name=name).exists():
        raise Conflict(_("另一个接入系统已登记这个 issuer。"))
    values = {
        "display": display,
        "organization_id": organization_id,
        "jwks": jwks,
        "scopes": scopes,
        "issuer": issuer,
        "jku": jku,
        "follows_jku": follows_jku,
        "keys_read_at": timezone.now() if follows_jku else None,
        "revoked_at": None,
    }
    client, _made = ApiClient.objects.update_or_create(
        name=name,
        defaults=values,
        # A token that nobody knows: this system comes with assertions.
        create_defaults={**values, "token_hash": token_hash(secrets.token_urlsafe(32))},
    )
    return client


def use_assertion(*, client: ApiClient, jti: str, expires_at: datetime) -> bool:
    """Note that an assertion was used; False when it had been used before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_seenassertion (client_id, jti, expires_at) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [client.pk, jti, expires_at],
        )
        return cursor.fetchone() is not None


def let_register(*, client: ApiClient, registers: bool, actor: Actor) -> None:
    """Say whether a hospital system may register residents who stand at its hospital's desk."""
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(client.organization_id):
        raise NotFound()
    ApiClient.objects.filter(pk=client.pk).update(registers=registers)


def revoke_client(*, client: ApiClient, actor: Actor) -> None:
    """End a connected system's access; its name stays taken."""
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(client.organization_id):
        raise NotFound()
    ApiClient.objects.filter(pk=client.pk).update(revoked_at=timezone.now())


def register_app(*, name: str, display: str, address: str, actor: Actor) -> App:
    """Let an app be opened from records, or renew where it waits."""
    app, _made = App.objects.update_or_create(
        name=name, defaults={"display": display, "address": address, "closed_at": None}
    )
    return app


def open_launch(*, app: App, resident_id: int, patient: uuid.UUID, encounter: uuid.UUID | None, actor: Actor) -> str:
    """Open an app for a resident; returns the launch parameter, which is good once within five minutes."""
    actor.check(Permission.RECORD_VIEW)
    if actor.user_id is None:
        raise NotFound()
    token = secrets.token_urlsafe(32)
    Launch.objects.create(
        app=app,
        token_hash=token_hash(token),
        user_id=actor.user_id,
        resident_id=resident_id,
        patient=patient,
        encounter=encounter,
        expires_at=timezone.now() + LAUNCH_LASTS,
    )
    return token


def use_launch(*, token: str, app: str, user_id: int, code_id: int) -> bool:
    """Tie a launch parameter to the code that its own person agreed to; False when it was used, is late or another's."""
    waiting = Launch.objects.filter(
        token_hash=token_hash(token),
        app__name=app,
        user_id=user_id,
        used_at__isnull=True,
        expires_at__gt=timezone.now(),
    )
    return waiting.update(used_at=timezone.now(), code_id=code_id) == 1


def carry_launch(launch: Launch, *, access_id: int, family: uuid.UUID | None) -> None:
    """Let the context of a launch go on with the newest tokens."""
    Launch.objects.filter(pk=launch.pk).update(access_id=access_id, family=family, code_id=None)
