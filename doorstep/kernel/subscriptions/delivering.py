"""The work of a subscription: number what its client may see, and send it in order until it is heard.

Nothing is open in the database while a receiver is called. A worker that dies after the call has not noted the answer: the same
notification goes out again with the same number, and none goes past it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import structlog
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.scopes import granting
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import search, stored
from doorstep.kernel.subscriptions import actions, endpoints, messages, notices, queries, sending
from doorstep.kernel.subscriptions.messages import Envelope, Silence, Told
from doorstep.kernel.subscriptions.models import Match, Notification, Subscriber, Subscription
from doorstep.kernel.subscriptions.notices import Event
from doorstep.kernel.subscriptions.sending import HEARD, Answer, Letter

log = structlog.get_logger(__name__)
State = Subscription.State
_SYSTEM = system_actor(Purpose.EXCHANGE)
# Numbered in one transaction, and sent by one job before others have their turn.
_AT_ONCE, _TURNS = 500, 200
_JSON = "application/fhir+json; fhirVersion=4.0"
# As subscriptions_note writes it.
SEARCH_FAILED = "criteria: "
ActorOf = Callable[[int], Actor]
_actor_of: list[ActorOf] = []


def install(actor_of: ActorOf) -> None:
    """Wire what gives the actor of a client by its id; the last one counts."""
    _actor_of[:] = [actor_of]


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be sent next: a letter with the notifications that it tells, or none for a greeting or a heartbeat."""

    subscription: Subscription
    rule: Subscriber
    letter: Letter | None
    notifications: tuple[Notification, ...] = ()
    # Why no letter can be written: the endpoint is not allowed any more.
    obstacle: str = ""
    # Why there is nothing to write: it is passed over, which is no delivery.
    silence: Silence | None = None


def work(subscription_id: int) -> None:
    """Do what a subscription has to do now; calls for a further job when one turn is not enough."""
    _close_overfull(subscription_id)
    for _count in range(_TURNS):
        if not step(subscription_id):
            return
    with acting(_SYSTEM):
        actions.call_for_work(subscription_id)


def step(subscription_id: int) -> bool:
    """One turn; False when there is nothing left to do now."""
    with acting(_SYSTEM):
        found = _standing(subscription_id)
    if found is None:
        return False
    subscription, rule = found
    # A subscription acts as its client: what the client may not see, or no longer reads by its scopes, is neither numbered nor told.
    scopes = actions.scopes_of(subscription.client)
    try:
        with acting(_actor_of[0](subscription.client_id)) as actor, granting(scopes):
            actions.check_scopes(subscription.client, [subscription.type, *(one["type"] for one in subscription.also)])
            if subscription.state != State.REQUESTED:
                number(subscription, actor=actor)
            turn = _next(subscription, rule, actor)
    except FhirRefused as refused:
        # The search cannot be answered as the client: too costly, or beyond its scopes, by now. What matched stays.
        _stop(subscription, refused.sentence)
        return False
    if turn is None:
        return False
    answer = Answer(turn.obstacle, "address") if turn.obstacle else sending.send(turn.letter) if turn.letter else HEARD
    with acting(_SYSTEM):
        return _note(turn, answer)


def _stop(subscription: Subscription, error: str) -> None:
    """Stop a subscription whose search fails, once."""
    if subscription.state != State.ERROR:
        with acting(_SYSTEM):
            actions.enter(subscription, State.ERROR, actor=_SYSTEM, error=error)


def number(subscription: Subscription, *, actor: Actor) -> int:
    """Give the matches that the client may see their numbers, without a gap; the others are forgotten. Returns how many.

    `actor` is the client, which is bound.
    """
    # Locked first: two at once would give the same number.
    current = queries.locked(subscription.pk)
    given = 0
    matches = list(Match.objects.filter(subscription=current).order_by("id")[:_AT_ONCE])
    fresh = []
    for one in matches:
        if _in_sight(current, one, actor):
            given += 1
            fresh.append(
                Notification(
                    subscription=current,
                    organization_id=current.organization_id,
                    number=current.last_number + given,
                    type=one.type,
                    fhir_id=one.fhir_id,
                    version=one.version,
                    at=one.at,
                )
            )
    Notification.objects.bulk_create(fresh)
    Match.objects.filter(id__in=[one.pk for one in matches]).delete()
    if given:
        Subscription.objects.filter(pk=current.pk).update(last_number=F("last_number") + given)
    subscription.last_number = current.last_number + given
    return given


def _in_sight(subscription: Subscription, match: Match, actor: Actor) -> bool:
    """Whether the client that is bound may read the version; of a search that looks further, whether it finds it too.

    Messages go to the sides of a matter: who writes them knows these, also when a sight has just ended.
    """
    if subscription.written:
        return messages.writer_of(subscription.topic).concerns(_told(match), actor=actor)
    if stored.fetch_version(type=match.type, fhir_id=match.fhir_id, version=match.version) is None:
        return False
    if not subscription.linked:
        return True
    pairs = [(str(name), str(value)) for name, value in subscription.pairs]
    return bool(search.matching(match.type, [*pairs, ("_id", match.fhir_id)], base=subscription.base, limit=1))


def _told(one: Match | Notification) -> Told:
    return Told(type=one.type, fhir_id=one.fhir_id, version=one.version)


def _standing(subscription_id: int) -> tuple[Subscription, Subscriber] | None:
    """The subscription with its rules, unless it is off or its time is over."""
    subscription = Subscription.objects.select_related("client").filter(pk=subscription_id).first()
    if subscription is None or subscription.state == State.OFF:
        return None
    rule = Subscriber.objects.filter(client_id=subscription.client_id).first()
    if rule is None or subscription.client.revoked_at is not None:
        actions.turn_off(subscription=subscription, actor=_SYSTEM, error=_("系统的接入已被撤销。"))
        return None
    if subscription.ends_at is not None and subscription.ends_at <= timezone.now():
        actions.turn_off(subscription=subscription, actor=_SYSTEM)
        return None
    if subscription.state == State.ACTIVE and subscription.error.startswith(SEARCH_FAILED):
        # Noted by the change that the search failed in.
        actions.enter(subscription, State.ERROR, actor=_SYSTEM, error=subscription.error)
    return subscription, rule


def _close_overfull(subscription_id: int) -> None:
    """Turn a subscription off whose receiver has not listened for so long that nobody will catch up."""
    with acting(_SYSTEM):
        found = _standing(subscription_id)
        if found is None:
            return
        subscription, rule = found
        waiting = Notification.objects.filter(subscription=subscription, state=Notification.State.WAITING).count()
        if waiting > rule.most_waiting:
            sentence = _("积压超过 %(count)s 条，已关闭。") % {"count": rule.most_waiting}
            actions.turn_off(subscription=subscription, actor=_SYSTEM, error=sentence)


def _next(subscription: Subscription, rule: Subscriber, actor: Actor) -> Turn | None:
    """What goes out now, read with the client's eyes; each resident who is told of sees it among the looks."""
    now = timezone.now()
    early = subscription.next_try_at is not None and subscription.next_try_at > now
    if early or subscription.state == State.ERROR:
        return None
    if subscription.state == State.REQUESTED:
        return _turn(subscription, rule, notices.bundle(subscription, notices.HANDSHAKE))
    rows = Notification.objects.filter(subscription=subscription, state=Notification.State.WAITING)
    found = tuple(rows.order_by("number")[: subscription.most_events if subscription.by_topic else 1])
    if not found:
        if _heartbeat_is_due(subscription, now):
            return _turn(subscription, rule, notices.bundle(subscription, notices.HEARTBEAT))
        return None
    return _telling(subscription, rule, found, actor)


def _telling(subscription: Subscription, rule: Subscriber, found: tuple[Notification, ...], actor: Actor) -> Turn:
    """The letter that tells of these."""
    if subscription.written:
        return _message(subscription, rule, found[0], actor)
    texts = [_text(subscription, one, actor) for one in found]
    if not subscription.by_topic:
        return _plain(subscription, rule, found[0], texts[0])
    body = notices.bundle(subscription, notices.EVENT, _events(subscription, found, texts, subscription.content))
    if len(orjson.dumps(body)) > rule.most_bytes:
        # Too large for the receiver's engineer: the numbers and ids still go, and the client fetches the rest.
        ids = Subscription.Content.ID_ONLY.value
        body = notices.bundle(subscription, notices.EVENT, _events(subscription, found, texts, ids))
    return _turn(subscription, rule, body, found)


def _message(subscription: Subscription, rule: Subscriber, one: Notification, actor: Actor) -> Turn:
    """One message a notification; one that has nothing left to say is passed over, so that the next has its turn."""
    envelope = Envelope(key=one.key, at=one.at, base=subscription.base, endpoint=subscription.endpoint)
    writer = messages.writer_of(subscription.topic)
    body = writer.write(_told(one), envelope, actor=actor, most_bytes=rule.most_bytes)
    if isinstance(body, Silence):
        return Turn(subscription, rule, None, (one,), silence=body)
    return _turn(subscription, rule, body, (one,))


def _events(
    subscription: Subscription, found: Sequence[Notification], texts: Sequence[str | None], content: str
) -> list[Event]:
    return [notices.event_of(one, text=text, content=content) for one, text in zip(found, texts, strict=True)]


def _text(subscription: Subscription, one: Notification, actor: Actor) -> str | None:
    if subscription.content == Subscription.Content.EMPTY:
        return None
    found = stored.fetch_version(type=one.type, fhir_id=one.fhir_id, version=one.version)
    if found is None:
        return None
    record.note_read(
        type=one.type, fhir_id=one.fhir_id, actor=actor, resident_id=found.resident_id, action="fhir.notify"
    )
    return found.text


def _plain(subscription: Subscription, rule: Subscriber, one: Notification, text: str | None) -> Turn:
    """A notification of R4: an empty POST, or with a payload the resource itself by PUT below the endpoint."""
    if text is None or len(text.encode()) > rule.most_bytes:
        return _turn(subscription, rule, None, (one,))
    return _turn(subscription, rule, text, (one,), below=f"/{one.type}/{one.fhir_id}")


def _turn(
    subscription: Subscription,
    rule: Subscriber,
    body: object,
    notifications: tuple[Notification, ...] = (),
    *,
    below: str = "",
) -> Turn:
    try:
        endpoint = endpoints.checked(subscription.endpoint, rule.hosts)
    except endpoints.Unreachable as error:
        return Turn(subscription, rule, None, notifications, str(error))
    content = _bytes_of(body)
    headers = dict(actions.headers_of(subscription))
    if content:
        headers["Content-Type"] = _JSON
    if notifications:
        headers["Event-Number"] = str(notifications[-1].number)
    path, mark, query = endpoint.path.partition("?")
    letter = Letter(
        endpoint=endpoint,
        method="PUT" if below else "POST",
        path=f"{path.rstrip('/')}{below}{mark}{query}" if below else endpoint.path,
        headers={**headers, "Content-Length": str(len(content)), "Connection": "close"},
        body=content,
        timeout=min(rule.timeout, subscription.timeout or rule.timeout),
        message=subscription.written,
    )
    return Turn(subscription, rule, letter, notifications)


def _bytes_of(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)


def _heartbeat_is_due(subscription: Subscription, now: datetime) -> bool:
    if not subscription.greeted or subscription.heartbeat is None:
        return False
    last = subscription.last_sent_at or subscription.state_at
    return last + timedelta(seconds=subscription.heartbeat) <= now


def _note(turn: Turn, answer: Answer) -> bool:
    """Write down what the receiver said; whether there may be more to do at once."""
    now = timezone.now()
    current = queries.locked(turn.subscription.pk)
    if current.state == State.OFF:
        return False
    ids = [one.pk for one in turn.notifications]
    rows = Notification.objects.filter(id__in=ids, state=Notification.State.WAITING)
    if turn.silence is not None:
        rows.update(
            state=Notification.State.SKIPPED, tried_at=now, error="", error_kind=turn.silence, reason=_why(turn.silence)
        )
        return True
    rows.update(attempts=F("attempts") + 1, tried_at=now, error=answer.error[:200], error_kind=answer.kind)
    if not answer.error:
        rows.update(state=Notification.State.DELIVERED, delivered_at=now)
        current.failures, current.next_try_at, current.last_sent_at = 0, None, now
        current.last_delivered_at = now if ids else current.last_delivered_at
        _let_go_on(current, "failures", "next_try_at", "last_sent_at", "last_delivered_at")
        if current.state == State.REQUESTED:
            actions.enter(current, State.ACTIVE, actor=_SYSTEM)
        return True
    current.failures += 1
    log.warning("notification_failed", subscription=str(current.key), failures=current.failures)
    refused = answer.alive and (answer.final or (current.is_line and current.failures >= turn.rule.attempts))
    if current.written and refused:
        # It listens, and will not have this one: a dead letter, and the next has its turn.
        rows.update(state=Notification.State.DEAD)
        current.failures, current.next_try_at, current.last_sent_at = 0, None, now
        _let_go_on(current, "failures", "next_try_at", "last_sent_at")
        return True
    wait = wait_after(current.failures, first=turn.rule.first_wait, longest=turn.rule.longest_wait)
    current.next_try_at = now + timedelta(seconds=wait)
    if current.is_line:
        # A line that is cut is no fault of a message: nothing goes past it, and nobody has to be called in the night.
        current.error = answer.error[:400]
    current.save(update_fields=["failures", "next_try_at", "error"])
    if not current.is_line and current.failures >= turn.rule.attempts:
        rows.update(state=Notification.State.DEAD)
        actions.enter(current, State.ERROR, actor=_SYSTEM, error=answer.error)
    return False


def _why(silence: Silence) -> str:
    if silence is Silence.UNSEEN:
        return _("接收方现在无权查看这位居民，没有发送。")
    return _("这一版没有需要告知的变化，没有发送。")


def _let_go_on(current: Subscription, *changed: str) -> None:
    if current.is_line:
        current.error = ""
    current.save(update_fields=[*changed, "error"])


def wait_after(failures: int, *, first: int, longest: int) -> int:
    """Seconds to wait after so many failures in a row: each wait twice the one before, up to the longest."""
    return int(min(first * 2 ** min(failures - 1, 30), longest))
