"""Reads of connections, messages and codes, as far as the actor's units reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.exchange.models import CodeMapping, Connection, Message, Stranger
from doorstep.kernel.exchange.permissions import Permission
from doorstep.kernel.exchange.states import REPLAYABLE, MessageState
from doorstep.kernel.exchange.storing import patient_index

# What views call the rows that they hand on: they never import models.
ShownConnection: TypeAlias = Connection
ShownMessage: TypeAlias = Message

# Heard within this time counts as alive, also when the sender opens a new line for every message.
ALIVE_FOR = timedelta(minutes=5)
LISTED = 50


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection is: alive or not, what waits, what failed by kind."""

    connection: Connection
    alive: bool
    last_message_at: datetime | None
    backlog: int
    oldest_waiting: datetime | None
    today: int
    failed: int
    waiting: int
    errors: tuple[tuple[str, int], ...]
    open_codes: int


def list_connections(*, actor: Actor) -> list[Connection]:
    """The connections of the actor's units."""
    actor.check(Permission.EXCHANGE_VIEW)
    return list(Connection.objects.filter(organization_id__in=actor.reach).order_by("name", "id"))


def get_connection(*, key: UUID | str, actor: Actor) -> Connection:
    """The connection with this key; raises NotFound when it is not there or not the actor's."""
    actor.check(Permission.EXCHANGE_VIEW)
    found = Connection.objects.filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found


def connection_of(*, client: str) -> Connection:
    """The connection that acts as this account; raises LookupError for an account that is none's."""
    found = Connection.objects.filter(client__name=client).first()
    if found is None:
        raise LookupError(client)
    return found


def health_of(connections: Sequence[Connection]) -> list[Health]:
    """The health of several connections, in four queries."""
    ids = [one.pk for one in connections]
    now = timezone.now()
    open_states = ["received", "failed", "waiting"]
    states = {
        (connection_id, state): (count, oldest)
        for connection_id, state, count, oldest in Message.objects.filter(connection_id__in=ids, state__in=open_states)
        .values_list("connection_id", "state")
        .annotate(count=Count("id"), oldest=Min("received_at"))
        .order_by()
    }
    recent = Message.objects.filter(connection_id__in=ids, received_at__gte=now - timedelta(days=1))
    day = {
        connection_id: (count, last)
        for connection_id, count, last in recent.values_list("connection_id")
        .annotate(count=Count("id"), last=Max("received_at"))
        .order_by()
    }
    errors = _errors(ids)
    undecided = CodeMapping.objects.filter(connection_id__in=ids, target_code="").values_list("connection_id")
    codes = dict(undecided.annotate(count=Count("id")).order_by())
    return [
        Health(
            connection=one,
            alive=one.connected_since is not None or _heard(one, now),
            last_message_at=day.get(one.pk, (0, None))[1] or (None if one.kind == "folder" else one.last_heard_at),
            backlog=states.get((one.pk, "received"), (0, None))[0],
            oldest_waiting=states.get((one.pk, "received"), (0, None))[1],
            today=day.get(one.pk, (0, None))[0],
            failed=states.get((one.pk, "failed"), (0, None))[0],
            waiting=states.get((one.pk, "waiting"), (0, None))[0],
            errors=tuple(errors.get(one.pk, [])),
            open_codes=codes.get(one.pk, 0),
        )
        for one in connections
    ]


def calls_from(connections: Sequence[Connection]) -> dict[int, dict[str, int]]:
    """From which addresses the messages of the last week came, and how many from each, the most first; in one query."""
    ids = [one.pk for one in connections]
    week = Message.objects.filter(connection_id__in=ids, received_at__gte=timezone.now() - timedelta(days=7))
    rows = week.exclude(address="").values_list("connection_id", "address").annotate(count=Count("id"))
    found: dict[int, dict[str, int]] = {}
    for connection_id, address, count in rows.order_by("-count", "address") if ids else ():
        found.setdefault(connection_id, {})[address] = count
    return found


def _heard(one: Connection, now: datetime) -> bool:
    return one.last_heard_at is not None and one.last_heard_at > now - ALIVE_FOR


def _errors(ids: list[int]) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}
    rows = (
        Message.objects.filter(connection_id__in=ids, state__in=["failed", "waiting"])
        .values_list("connection_id", "error_kind")
        .annotate(count=Count("id"))
        .order_by("-count")
    )
    for connection_id, kind, count in rows:
        found.setdefault(connection_id, []).append((kind, count))
    return found


def strangers() -> list[Stranger]:
    """Senders that were turned away in the last week, newest first."""
    return list(Stranger.objects.filter(last_at__gte=timezone.now() - timedelta(days=7)).order_by("-last_at")[:20])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a search for messages asks; `patient` is a whole number, never a part of one."""

    connection_id: int | None = None
    control_id: str = ""
    patient: str = ""
    type: str = ""
    state: str = ""
    error_kind: str = ""
    before: int | None = None


def find_messages(sought: Sought, *, actor: Actor) -> list[Message]:
    """Messages of the actor's units, newest first, a page of them; bodies are left sealed."""
    actor.check(Permission.EXCHANGE_VIEW)
    rows: QuerySet[Message] = Message.objects.filter(organization_id__in=actor.reach)
    if sought.connection_id:
        rows = rows.filter(connection_id=sought.connection_id)
    if sought.control_id:
        rows = rows.filter(control_id=sought.control_id)
    if sought.patient:
        rows = rows.filter(patient_indexes__contains=[patient_index(sought.patient)])
    if sought.type:
        rows = rows.filter(type__startswith=sought.type)
    if sought.state:
        rows = rows.filter(state=sought.state)
    if sought.error_kind:
        rows = rows.filter(error_kind=sought.error_kind)
    if sought.before:
        rows = rows.filter(id__lt=sought.before)
    return list(rows.select_related("connection").defer("body").order_by("-id")[: LISTED + 1])


def get_message(*, key: UUID | str, actor: Actor) -> Message:
    """The message with this key; raises NotFound when it is not there or not the actor's."""
    actor.check(Permission.EXCHANGE_VIEW)
    found = Message.objects.select_related("connection").filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found


def list_mappings(*, connection: Connection, open_only: bool, text: str = "") -> list[CodeMapping]:
    """The codes of a sender: those that nobody has decided first, the most frequent on top."""
    rows = CodeMapping.objects.filter(connection=connection)
    if open_only:
        rows = rows.filter(target_code="")
    if text:
        rows = rows.filter(Q(local_code__icontains=text) | Q(local_display__icontains=text))
    return list(rows.order_by("decided_at", "-seen", "table", "local_code")[:200])


def get_mapping(*, key: UUID | str, actor: Actor) -> CodeMapping:
    """The code with this key; raises NotFound when it is not there or not the actor's."""
    found = CodeMapping.objects.select_related("connection").filter(key=key, organization_id__in=actor.reach).first()
    if found is None:
        raise NotFound()
    return found


def lanes_with_work(*, connection_id: int) -> list[int]:
    """The lanes of a connection in which messages wait to be worked."""
    rows = Message.objects.filter(state=MessageState.RECEIVED, connection_id=connection_id)
    return sorted(set(rows.values_list("lane", flat=True)))


def stale_lanes(*, older_than: timedelta) -> list[tuple[int, int]]:
    """Connections and lanes whose oldest message has waited this long; no lane of a paused connection."""
    rows = Message.objects.filter(
        state=MessageState.RECEIVED, state_at__lt=timezone.now() - older_than, connection__paused=False
    )
    return sorted(set(rows.values_list("connection_id", "lane")))


def put_aside_ids(*, connection_id: int, error_kind: str, limit: int) -> list[int]:
    """The messages of one kind of error, oldest first."""
    rows = Message.objects.filter(connection_id=connection_id, state__in=["failed", "waiting"], error_kind=error_kind)
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


def ids_between(*, connection_id: int, since: datetime, until: datetime, limit: int) -> list[int]:
    """The messages that came in a span of time and were worked, oldest first."""
    rows = Message.objects.filter(connection_id=connection_id, received_at__gte=since, received_at__lt=until)
    return list(rows.filter(state__in=REPLAYABLE).order_by("id").values_list("id", flat=True)[:limit])


def states_of(*, ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
    """State, kind and place of error of messages: what an application answer says."""
    rows = Message.objects.filter(id__in=list(ids)).values_list("id", "state", "error_kind", "error_place")
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def connections_that_wait() -> list[Connection]:
    """The connections with messages whose resident their sender could not see."""
    waiting = Message.objects.filter(state=MessageState.WAITING).values("connection_id")
    return list(Connection.objects.filter(id__in=waiting, paused=False))


def one_more_replay() -> CombinedExpression:
    """The expression that counts a replay."""
    return F("replays") + 1
