"""A line to a system that speaks HL7 v2: opened, changed and closed by its engineer; what it was told goes out again on request."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.subscriptions import actions, endpoints, queries
from doorstep.kernel.subscriptions.models import Notification, Subscriber, Subscription
from doorstep.kernel.subscriptions.reading import Wanted

# One press of a button; more is a matter of pressing again, so that one transaction stays short.
AGAIN_AT_ONCE = 2_000
# Seconds; a line that is cut is tried again for as long as it stays so.
FIRST_WAIT, LONGEST_WAIT, TIMEOUT, ATTEMPTS = 5, 300, 10, 5
State = Subscription.State
Sent = Notification.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a system listens, and whether over TLS."""

    host: str
    port: int
    secure: bool = False

    @property
    def url(self) -> str:
        """As an endpoint."""
        return endpoints.line_at(self.host, self.port, secure=self.secure)


@transaction.atomic
def open_line(*, client: ApiClient, address: Address, wanted: Wanted, base: str, actor: Actor) -> Subscription:
    """Send to a system from now on, or to another address, or other things; what waits goes along.

    The address is allowed to the system by the same act. Raises Refused at the field that is wrong.
    """
    _check(client.organization_id, actor)
    host = f"{address.host}:{address.port}"
    if not endpoints.is_host(host):
        sentence = _("“%(host)s”不是主机名或 IP 地址，例如 10.1.2.3 或 his.example.cn。") % {"host": address.host}
        raise Refused(_("有内容需要更正，没有保存。"), fields={"host": sentence})
    rule = Subscriber.objects.filter(client=client).first() or Subscriber(
        client=client,
        organization_id=client.organization_id,
        attempts=ATTEMPTS,
        first_wait=FIRST_WAIT,
        longest_wait=LONGEST_WAIT,
        timeout=TIMEOUT,
    )
    rule.hosts = sorted({*rule.hosts, host})
    rule.save()
    found = queries.line_of(client_id=client.pk) or Subscription(
        client=client, organization_id=client.organization_id, consortium_id=actor.consortium_id, base=base
    )
    actions.fill(found, wanted)
    found.save()
    actions.enter(found, State.ACTIVE, actor=actor)
    audit.record(action="subscription.line", actor=actor, subject=f"Subscription/{found.key}", details={"host": host})
    return found


@transaction.atomic
def close_line(*, subscription: Subscription, actor: Actor) -> None:
    """Send nothing more; what waited stays and goes out when the line is opened again."""
    _check(subscription.organization_id, actor)
    actions.turn_off(subscription=subscription, actor=actor)


@transaction.atomic
def send_kind_again(*, subscription: Subscription, error_kind: str, actor: Actor) -> int:
    """Send every dead letter of one kind of error again, oldest first; returns how many."""
    _check(subscription.organization_id, actor)
    rows = Notification.objects.filter(subscription=subscription, state=Sent.DEAD, error_kind=error_kind)
    count = _again(subscription, list(rows.order_by("number").values_list("id", flat=True)[:AGAIN_AT_ONCE]), actor)
    _note(subscription, {"kind": error_kind, "count": count}, actor)
    return count


@transaction.atomic
def send_range_again(*, subscription: Subscription, since: datetime, until: datetime, actor: Actor) -> int:
    """Send again what was sent, refused or given up in a span of time, in its order and under its numbers; returns how many.

    A receiver knows by the control id what it has already.
    """
    _check(subscription.organization_id, actor)
    rows = Notification.objects.filter(subscription=subscription, at__gte=since, at__lt=until)
    ids = list(rows.exclude(state=Sent.WAITING).order_by("number").values_list("id", flat=True)[:AGAIN_AT_ONCE])
    count = _again(subscription, ids, actor)
    _note(subscription, {"since": since.isoformat(), "until": until.isoformat(), "count": count}, actor)
    return count


def _again(subscription: Subscription, ids: list[int], actor: Actor) -> int:
    current = queries.locked(subscription.pk)
    count = Notification.objects.filter(id__in=ids).update(
        state=Sent.WAITING, attempts=0, error="", error_kind="", reason="", delivered_at=None
    )
    if current.state == State.ERROR:
        actions.enter(current, State.ACTIVE, actor=actor)
    elif current.next_try_at is not None:
        # A person asks for it now.
        current.next_try_at = None
        current.save(update_fields=["next_try_at"])
    actions.call_for_work(current.pk)
    return count


def _note(subscription: Subscription, details: dict[str, object], actor: Actor) -> None:
    audit.record(
        action="subscription.send-again", actor=actor, subject=f"Subscription/{subscription.key}", details=details
    )


def _check(organization_id: int, actor: Actor) -> None:
    actor.check(Permission.CLIENT_MANAGE)
    if not actor.reaches(organization_id):
        raise NotFound()
