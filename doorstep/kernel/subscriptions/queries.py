"""Reads of subscriptions: the client's own, and those of an engineer's units with their health."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Count, Min, Q

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.subscriptions.models import Notification, Subscriber, Subscription

# What views call the rows that they hand on: they never import models.
ShownSubscription: TypeAlias = Subscription
ShownNotification: TypeAlias = Notification
ShownRules: TypeAlias = Subscriber

LISTED = 100


@dataclass(frozen=True, slots=True)
class Health:
    """How a subscription is: what waits and what nobody heard."""

    subscription: Subscription
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class LineHealth:
    """How a line to a system is: what waits and since when, what it refused by kind, and what it took and was not told in a day."""

    subscription: Subscription
    waiting: int
    oldest_waiting: datetime | None
    errors: tuple[tuple[str, int], ...]
    today: int
    skipped: int = 0

    @property
    def dead(self) -> int:
        """How many messages were refused or given up after tries."""
        return sum(count for _kind, count in self.errors)

    @property
    def alive(self) -> bool:
        """Whether the system answered the last time; a line on which nothing was sent yet is not."""
        return (
            self.subscription.state == Subscription.State.ACTIVE
            and not self.subscription.failures
            and self.subscription.last_sent_at is not None
        )


def own(*, key: UUID | str, actor: Actor, lock: bool = False) -> Subscription:
    """A subscription of the acting client; raises NotFound when it is not there or another's."""
    rows = Subscription.objects.filter(client__name=actor.client) if actor.kind is ActorKind.CLIENT else None
    parsed = _uuid(key)
    if rows is None or parsed is None:
        raise NotFound()
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(key=parsed).first()
    if found is None:
        raise NotFound()
    return found


def all_own(*, actor: Actor, keys: Sequence[str] = (), states: Sequence[str] = ()) -> list[Subscription]:
    """The subscriptions of the acting client, those of these keys and states if any are named."""
    if actor.kind is not ActorKind.CLIENT:
        return []
    found = Subscription.objects.filter(client__name=actor.client).order_by("id")
    if keys:
        found = found.filter(key__in=[parsed for key in keys if (parsed := _uuid(key))])
    return list(found.filter(state__in=states) if states else found)


def events(*, subscription: Subscription, since: int, until: int | None, limit: int) -> list[Notification]:
    """Events of a subscription by their numbers, whatever became of their delivery."""
    found = Notification.objects.filter(subscription=subscription, number__gte=since)
    if until is not None:
        found = found.filter(number__lte=until)
    return list(found.order_by("number")[:limit])


def locked(subscription_id: int) -> Subscription:
    """A subscription, locked until the end of the transaction."""
    return Subscription.objects.select_for_update().get(pk=subscription_id)


def due(*, now: datetime) -> list[int]:
    """Subscriptions that have something to do now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM subscriptions_due(%s)", [now])
        return [one for (one,) in cursor.fetchall()]


def list_subscriptions(*, actor: Actor) -> list[Health]:
    """The subscriptions of an engineer's units, those in trouble first, newest first."""
    actor.check(Permission.CLIENT_MANAGE)
    rows = Subscription.objects.select_related("client").filter(organization_id__in=actor.reach)
    found = list(rows.order_by("-created_at")[:LISTED])
    return sorted(_health(found), key=lambda one: (one.subscription.state != "error", not one.dead))


def get_subscription(*, key: UUID, actor: Actor) -> Health:
    """One subscription of an engineer's units; raises NotFound."""
    actor.check(Permission.CLIENT_MANAGE)
    found = Subscription.objects.select_related("client").filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return _health([found])[0]


def recent_of(*, subscription: Subscription) -> tuple[list[Notification], list[Notification]]:
    """The dead letters of a subscription, oldest first, and its other notifications, newest first."""
    rows = Notification.objects.filter(subscription=subscription)
    dead = rows.filter(state=Notification.State.DEAD).order_by("number")[:LISTED]
    return list(dead), list(rows.exclude(state=Notification.State.DEAD).order_by("-number")[:30])


def get_notification(*, key: UUID, actor: Actor) -> Notification:
    """One notification of an engineer's units; raises NotFound."""
    actor.check(Permission.CLIENT_MANAGE)
    rows = Notification.objects.select_related("subscription")
    found = rows.filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found


def line_of(*, client_id: int) -> Subscription | None:
    """The line to a system that speaks HL7 v2, open or not."""
    rows = Subscription.objects.filter(client_id=client_id, content=Subscription.Content.HL7_V2)
    return rows.select_related("client").first()


def lines_of(*, client_ids: Iterable[int], now: datetime) -> dict[int, LineHealth]:
    """The lines to these systems with their health, by the system, in three queries."""
    rows = Subscription.objects.filter(client_id__in=list(client_ids), content=Subscription.Content.HL7_V2)
    found = list(rows.order_by("id"))
    notices = Notification.objects.filter(subscription__in=found)
    waits: dict[int, tuple[int, datetime | None]] = {}
    errors: dict[int, list[tuple[str, int]]] = {}
    standing = notices.filter(state__in=["waiting", "dead"]).values_list("subscription_id", "state", "error_kind")
    for line, state, kind, count, oldest in standing.annotate(count=Count("id"), oldest=Min("at")).order_by("-count"):
        if state == Notification.State.DEAD:
            errors.setdefault(line, []).append((kind, count))
        else:
            before, since = waits.get(line, (0, None))
            waits[line] = (before + count, min(filter(None, (since, oldest)), default=None))
    day = notices.filter(state__in=["delivered", "skipped"], at__gte=now - timedelta(days=1))
    counted = day.values_list("subscription_id", "state").annotate(count=Count("id")).order_by()
    today = {(line, state): count for line, state, count in counted}
    return {
        one.client_id: LineHealth(
            one,
            *waits.get(one.pk, (0, None)),
            tuple(errors.get(one.pk, ())),
            today.get((one.pk, "delivered"), 0),
            today.get((one.pk, "skipped"), 0),
        )
        for one in found
    }


def list_systems(*, actor: Actor) -> list[tuple[ApiClient, Subscriber | None]]:
    """The connected systems of an engineer's units with their rules."""
    actor.check(Permission.CLIENT_MANAGE)
    clients = access.list_clients(organization_ids=actor.reach)
    rules = {one.client_id: one for one in Subscriber.objects.filter(client__in=clients)}
    return [(one, rules.get(one.pk)) for one in clients]


def get_system(*, name: str, actor: Actor) -> tuple[ApiClient, Subscriber | None]:
    """One connected system of an engineer's units with its rules; raises NotFound."""
    found = next((pair for pair in list_systems(actor=actor) if pair[0].name == name), None)
    if found is None:
        raise NotFound()
    return found


def _health(found: list[Subscription]) -> list[Health]:
    counted = {
        row["subscription_id"]: row
        for row in Notification.objects.filter(subscription__in=found, state__in=["waiting", "dead"])
        .values("subscription_id")
        .annotate(waiting=Count("id", filter=Q(state="waiting")), dead=Count("id", filter=Q(state="dead")))
    }
    empty = {"waiting": 0, "dead": 0}
    rows = [(one, counted.get(one.pk, empty)) for one in found]
    return [Health(one, row["waiting"], row["dead"]) for one, row in rows]


def _uuid(text: UUID | str) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
