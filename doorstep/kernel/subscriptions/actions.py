"""Making, changing, stopping subscriptions; what engineers do with those that failed."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.exceptions import AlreadyEnqueued

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.scopes import Scopes, parse
from doorstep.kernel.jobs.outbox import defer
from doorstep.kernel.jobs.queues import DELIVERIES
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.subscriptions import endpoints, queries
from doorstep.kernel.subscriptions.models import Match, Notification, Subscriber, Subscription
from doorstep.kernel.subscriptions.reading import SEALED, Wanted

WORK = "doorstep.work_subscription"
State = Subscription.State


@transaction.atomic
def subscribe(*, wanted: Wanted, base: str, off: bool, actor: Actor) -> Subscription:
    """Make a subscription of the client that acts. Raises FhirRefused at the element that its engineer has not allowed."""
    client, rule = _subscriber(actor)
    _check(wanted, client, rule)
    standing = Subscription.objects.filter(client=client).exclude(state=State.OFF).count()
    if standing >= rule.most_subscriptions:
        sentence = _("此系统已有 %(count)s 个订阅，达到上限；请先关闭不用的。") % {"count": standing}
        raise FhirRefused(422, "business-rule", sentence, "Subscription")
    made = Subscription(
        client=client, organization_id=client.organization_id, consortium_id=actor.consortium_id, base=base
    )
    fill(made, wanted)
    made.save(force_insert=True)
    enter(made, State.OFF if off else _first_state(made), actor=actor)
    audit.record(action="subscription.make", actor=actor, subject=f"Subscription/{made.key}")
    return made


@transaction.atomic
def revise(*, subscription: Subscription, wanted: Wanted, off: bool, actor: Actor) -> None:
    """Change a subscription of the acting client; event numbers go on. One that stood in error starts again."""
    client, rule = _subscriber(actor)
    if subscription.client_id != client.pk:
        raise NotFound()
    _check(wanted, client, rule)
    fill(subscription, wanted, dict(headers_of(subscription)))
    subscription.save()
    enter(subscription, State.OFF if off else _first_state(subscription), actor=actor)
    audit.record(action="subscription.change", actor=actor, subject=f"Subscription/{subscription.key}")


@transaction.atomic
def turn_off(*, subscription: Subscription, actor: Actor, error: str = "") -> None:
    """Stop listening for good; what waits is not sent any more."""
    enter(subscription, State.OFF, actor=actor, error=error)
    audit.record(action="subscription.off", actor=actor, subject=f"Subscription/{subscription.key}")


@transaction.atomic
def resume(*, subscription: Subscription, actor: Actor) -> None:
    """Let a subscription in error go on where it stopped; what happened meanwhile follows in its order."""
    _check_engineer(subscription.organization_id, actor)
    if subscription.state != State.ERROR:
        raise Conflict(_("这个订阅没有停发，请刷新后查看。"))
    enter(subscription, _first_state(subscription), actor=actor)
    audit.record(action="subscription.resume", actor=actor, subject=f"Subscription/{subscription.key}")


@transaction.atomic
def send_again(*, notification: Notification, actor: Actor) -> None:
    """Try a dead letter again, before everything that is younger; a subscription in error goes on with it."""
    _check_engineer(notification.organization_id, actor)
    changed = Notification.objects.filter(pk=notification.pk, state=Notification.State.DEAD).update(
        state=Notification.State.WAITING, attempts=0, error=""
    )
    if not changed:
        raise Conflict(_("这条通知已处理，请刷新后查看。"))
    subscription = queries.locked(notification.subscription_id)
    if subscription.state == State.ERROR:
        enter(subscription, _first_state(subscription), actor=actor)
    call_for_work(subscription.pk)
    audit.record(action="subscription.send-again", actor=actor, subject=f"notification/{notification.key}")


@transaction.atomic
def drop(*, notification: Notification, reason: str, actor: Actor) -> None:
    """Give a dead letter up for a reason; its number stays, and the client can still fetch the event."""
    _check_engineer(notification.organization_id, actor)
    if len(reason.strip()) < 2:
        raise Refused(_("请写明放弃的理由。"), fields={"reason": _("请写明放弃的理由，例如接收方已自行补取。")})
    changed = Notification.objects.filter(pk=notification.pk, state=Notification.State.DEAD).update(
        state=Notification.State.DROPPED, reason=reason.strip()[:400], decided_by_id=actor.user_id
    )
    if not changed:
        raise Conflict(_("这条通知已处理，请刷新后查看。"))
    audit.record(
        action="subscription.drop",
        actor=actor,
        subject=f"notification/{notification.key}",
        details={"reason": reason.strip()[:200]},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an engineer sets for a system; seconds, and failures in a row."""

    hosts: tuple[str, ...]
    attempts: int = 8
    first_wait: int = 5
    longest_wait: int = 3_600
    timeout: int = 10


@transaction.atomic
def set_rules(*, client: ApiClient, rules: Rules, actor: Actor) -> Subscriber:
    """Allow hosts to a system and say how long is tried; raises Refused at the field that makes no sense."""
    _check_engineer(client.organization_id, actor)
    hosts = [one.strip().lower() for one in rules.hosts if one.strip()]
    wrong = [one for one in hosts if not endpoints.is_host(one)]
    if wrong:
        sentence = _("“%(host)s”不是主机名；每行一个，例如 his.example.cn 或 his.example.cn:8443。") % {
            "host": wrong[0]
        }
        raise Refused(_("有内容需要更正，没有保存。"), fields={"hosts": sentence})
    if rules.longest_wait < rules.first_wait:
        sentence = _("最长间隔不能短于首次间隔。")
        raise Refused(_("有内容需要更正，没有保存。"), fields={"longest_wait": sentence})
    found, _made = Subscriber.objects.update_or_create(
        client=client,
        defaults={
            "organization_id": client.organization_id,
            "hosts": hosts,
            "attempts": rules.attempts,
            "first_wait": rules.first_wait,
            "longest_wait": rules.longest_wait,
            "timeout": rules.timeout,
        },
    )
    audit.record(action="subscription.rules", actor=actor, subject=f"client/{client.name}", details={"hosts": hosts})
    return found


def note_written(rows: Sequence[int]) -> None:
    """Note which subscriptions the rows just written concern; their jobs follow the commit of the change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM subscriptions_note(%s)", [list(rows)])
        found = [one for (one,) in cursor.fetchall()]
    for subscription_id in found:
        call_for_work(subscription_id)


def call_for_work(subscription_id: int) -> None:
    """Put one job of a subscription into the queue, unless one waits there; they run one after the other."""
    name = f"subscription/{subscription_id}"
    try:
        with transaction.atomic():
            defer(WORK, queue=DELIVERIES, lock=name, queueing_lock=name, subscription_id=subscription_id)
    except AlreadyEnqueued:
        return


def call_due() -> int:
    """Call for work on every subscription that has something to do now: tries, heartbeats, ends. The system calls this."""
    due = queries.due(now=timezone.now())
    for subscription_id in due:
        call_for_work(subscription_id)
    return len(due)


def enter(subscription: Subscription, state: State, *, actor: Actor, error: str = "") -> None:
    """Move a subscription to a state, publish it, and let its work begin or end."""
    subscription.state, subscription.state_at, subscription.error = state, timezone.now(), error[:400]
    subscription.failures, subscription.next_try_at = 0, None
    subscription.save(update_fields=["state", "state_at", "error", "failures", "next_try_at"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT subscriptions_watch()")
    shown = {**subscription.resource, "id": str(subscription.key), "status": state.value}
    published = Published(
        content={**shown, "error": error[:400]} if error else shown,
        organization_id=subscription.organization_id,
        occurred_at=subscription.created_at,
        sensitive=True,
    )
    # An engineer sees no records, and this one belongs to the system: its state is written for the exchange.
    with for_purpose(Purpose.EXCHANGE, actor) if actor.is_staff else nullcontext():
        record.publish(published, resident_id=None, actor=actor)
    if state == State.OFF:
        Match.objects.filter(subscription=subscription).delete()
    else:
        call_for_work(subscription.pk)


def _first_state(subscription: Subscription) -> State:
    """A topic's receiver is greeted first; a criteria of R4 and a receiver of messages know no greeting."""
    return State.REQUESTED if subscription.greeted else State.ACTIVE


def _subscriber(actor: Actor) -> tuple[ApiClient, Subscriber]:
    client = access.client_by_name(actor.client) if actor.kind is ActorKind.CLIENT else None
    rule = Subscriber.objects.filter(client=client).first() if client else None
    if client is None or rule is None:
        sentence = _("此系统还不能订阅，请由本单位信息工程师在“系统接入”中设置允许的接收主机。")
        raise FhirRefused(403, "forbidden", sentence, "Subscription.channel.endpoint")
    return client, rule


def _check(wanted: Wanted, client: ApiClient, rule: Subscriber) -> None:
    check_scopes(client, [wanted.type, *(one["type"] for one in wanted.also)])
    try:
        endpoints.checked(wanted.endpoint, rule.hosts)
    except endpoints.Unreachable as error:
        raise FhirRefused(422, "business-rule", str(error), "Subscription.channel.endpoint") from error


def scopes_of(client: ApiClient) -> Scopes | None:
    """The scopes that the operator gave a system; None for one that has none and may all that its unit may."""
    return parse(client.scopes) if client.scopes else None


def check_scopes(client: ApiClient, types: Iterable[str]) -> None:
    """Raise FhirRefused (403) when a system may not read one of these types, or may no longer."""
    scopes = scopes_of(client)
    for type in types:
        if scopes is not None and not scopes.cover(type, "r"):
            sentence = _("此系统的授权范围不含读取 %(type)s。") % {"type": type}
            raise FhirRefused(403, "forbidden", sentence, "Subscription.criteria")


def fill(subscription: Subscription, wanted: Wanted, kept: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write what is wanted into the columns; `kept` are the values of headers that were sealed."""
    headers = [(name, kept.get(name, "") if value == SEALED else value) for name, value in wanted.headers]
    for name in (
        "endpoint",
        "criteria",
        "type",
        "topic",
        "content",
        "heartbeat",
        "timeout",
        "most_events",
        "ends_at",
        "also",
    ):
        setattr(subscription, name, getattr(wanted, name))
    subscription.terms, subscription.linked, subscription.resource = wanted.terms, wanted.linked, wanted.resource
    subscription.pairs, subscription.changed = [list(pair) for pair in wanted.pairs], list(wanted.changed)
    subscription.headers = orjson.dumps([pair for pair in headers if pair[1]]).decode() if headers else ""


def headers_of(subscription: Subscription) -> list[tuple[str, str]]:
    """The headers as they are sent."""
    lines: list[Any] = orjson.loads(subscription.headers) if subscription.headers else []
    return [(str(name), str(value)) for name, value in lines]


def _check_engineer(organization_id: int, actor: Actor) -> None:
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
