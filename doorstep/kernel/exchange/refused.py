"""What a registered sender was refused: kept sealed with the reason, shown to its engineer, and taken after all once the cause is gone."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.encryption import seal_many
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.exchange import storing
from doorstep.kernel.exchange.mllp.acknowledgement import UNKNOWN_SENDER, Verdict
from doorstep.kernel.exchange.mllp.envelope import Envelope, open_envelope
from doorstep.kernel.exchange.mllp.judging import FORMAT, judge_content
from doorstep.kernel.exchange.mllp.senders import Sender
from doorstep.kernel.exchange.models import Connection, Message, Refusal
from doorstep.kernel.exchange.permissions import Permission

ShownRefusal: TypeAlias = Refusal

LISTED = 50
# Of one sender and reason: a channel that is set up wrongly refuses everything, and must not fill the disk.
KEPT = 500
# One press of a button.
AT_ONCE = 500

_NOTE = """
INSERT INTO exchange_refusal (key, connection_id, organization_id, reason, place, type, control_id, fingerprint, version, charset, size,
    whole, body, address, count, first_at, last_at)
VALUES (gen_random_uuid(), %(connection)s, %(organization)s, %(reason)s, %(place)s, %(type)s, %(control)s, %(fingerprint)s, %(version)s,
    %(charset)s, %(size)s, %(whole)s, %(body)s, %(address)s, 1, %(now)s, %(now)s)
ON CONFLICT (connection_id, reason, control_id, fingerprint) DO UPDATE SET count = exchange_refusal.count + 1,
    last_at = excluded.last_at, settled_at = NULL, message_id = NULL
RETURNING (xmax = 0)
"""
_FORGET = """
DELETE FROM exchange_refusal WHERE id IN (
  SELECT id FROM exchange_refusal WHERE connection_id = %s AND reason = %s ORDER BY last_at DESC OFFSET %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message that was refused, as the server hands it over; `size` in bytes, `whole` unless only its head was kept."""

    verdict: Verdict
    envelope: Envelope
    size: int
    address: str
    whole: bool = True


@transaction.atomic
def note(sender: Connection, refused: Refused) -> None:
    """Keep a refused message, or count it when it came before. The system calls this."""
    envelope = refused.envelope
    with database.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "connection": sender.pk,
                "organization": sender.organization_id,
                "reason": refused.verdict.reason,
                "place": refused.verdict.place,
                "type": f"{envelope.type}^{envelope.event}".strip("^"),
                "control": envelope.control_id,
                "fingerprint": hashlib.sha256(envelope.text.partition("\r")[2].encode()).hexdigest(),
                "version": envelope.version,
                "charset": envelope.charset,
                "size": refused.size,
                "whole": refused.whole,
                "body": next(iter(seal_many([envelope.text]))),
                "address": refused.address,
                "now": timezone.now(),
            },
        )
        (is_new,) = cursor.fetchone()
        if is_new:
            cursor.execute(_FORGET, [sender.pk, refused.verdict.reason, KEPT])


def _open() -> QuerySet[Refusal]:
    """Refusals that somebody must still look at: not settled, and nothing with the same control id was taken since."""
    since = Message.objects.filter(
        connection_id=OuterRef("connection_id"),
        control_id=OuterRef("control_id"),
        received_at__gte=OuterRef("first_at"),
    )
    # An empty control id is nobody's.
    return Refusal.objects.filter(settled_at=None).filter(Q(control_id="") | ~Exists(since))


def counts(*, connection_ids: Iterable[int]) -> dict[int, list[tuple[str, int]]]:
    """The open refusals of connections by reason, the most frequent first."""
    rows = _open().filter(connection_id__in=list(connection_ids)).values_list("connection_id", "reason")
    found: dict[int, list[tuple[str, int]]] = {}
    for connection_id, reason, count in rows.annotate(rows=Count("id")).order_by("-rows", "reason"):
        found.setdefault(connection_id, []).append((reason, count))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a search for refusals asks; `open_only` leaves out what was taken or put aside."""

    connection_id: int | None = None
    reason: str = ""
    control_id: str = ""
    open_only: bool = True
    before: int | None = None


def find(sought: Sought, *, actor: Actor) -> list[Refusal]:
    """Refusals of the actor's units, newest first, a page and one; bodies are left sealed."""
    actor.check(Permission.EXCHANGE_VIEW)
    rows = (_open() if sought.open_only else Refusal.objects.all()).filter(organization_id__in=actor.reach)
    if sought.connection_id:
        rows = rows.filter(connection_id=sought.connection_id)
    if sought.reason:
        rows = rows.filter(reason=sought.reason)
    if sought.control_id:
        rows = rows.filter(control_id=sought.control_id)
    if sought.before:
        rows = rows.filter(id__lt=sought.before)
    return list(rows.select_related("connection", "message").defer("body").order_by("-id")[: LISTED + 1])


def get(*, key: UUID, actor: Actor) -> Refusal:
    """The refusal with this key; raises NotFound when it is not there or not the actor's."""
    actor.check(Permission.EXCHANGE_VIEW)
    rows = Refusal.objects.select_related("connection", "message").filter(key=key, organization_id__in=actor.reach)
    found = rows.first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def take(refusal: Refusal, *, actor: Actor) -> Verdict:
    """Judge a refused message again by what holds now, and store it when it is accepted; returns what was said of it."""
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(refusal.organization_id):
        raise NotFound()
    verdict = _take(refusal, actor)
    audit.record(
        action="exchange.take-refused",
        actor=actor,
        subject=f"refusal/{refusal.key}",
        details={"connection": refusal.connection.code, "code": verdict.code},
    )
    return verdict


@transaction.atomic
def take_all(*, connection: Connection, reason: str, actor: Actor) -> tuple[int, int]:
    """Judge the open refusals of one reason again, oldest first; returns how many were taken, and how many not."""
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(connection.organization_id):
        raise NotFound()
    rows = _open().filter(connection=connection, reason=reason, whole=True).select_related("connection")
    codes = [_take(one, actor).code for one in rows.order_by("id")[:AT_ONCE]]
    taken = codes.count("A")
    audit.record(
        action="exchange.take-refused",
        actor=actor,
        subject=f"connection/{connection.key}",
        details={"reason": reason, "taken": taken, "left": len(codes) - taken},
    )
    return taken, len(codes) - taken


@transaction.atomic
def settle(*, connection: Connection, reason: str, key: UUID | None, actor: Actor) -> int:
    """Put one refusal aside, or all of a reason; returns how many."""
    actor.check(Permission.EXCHANGE_MANAGE)
    if not actor.reaches(connection.organization_id):
        raise NotFound()
    rows = Refusal.objects.filter(connection=connection, settled_at=None)
    rows = rows.filter(key=key) if key else rows.filter(reason=reason)
    count = rows.update(settled_at=timezone.now())
    audit.record(
        action="exchange.settle-refused",
        actor=actor,
        subject=f"connection/{connection.key}",
        details={"reason": reason, "count": count},
    )
    return count


def _take(refusal: Refusal, actor: Actor) -> Verdict:
    sender = Sender.of(refusal.connection)
    auto = refusal.connection.encoding == Connection.Encoding.AUTO
    encoding = "" if auto else refusal.connection.encoding
    data = refusal.body.encode(refusal.charset)
    envelope = open_envelope(data, encoding_of=lambda _application, _facility: encoding)
    # The certificate was asked for on the line: what was refused there is not kept.
    here = sender.may_call_from(refusal.address)
    verdict = judge_content(envelope, sender) if here else UNKNOWN_SENDER
    if verdict.code != "A" or not refusal.whole:
        return verdict
    arrival = storing.arrive(
        refusal.connection,
        format=FORMAT,
        type=f"{envelope.type}^{envelope.event}",
        control_id=envelope.control_id,
        text=envelope.text,
        content=envelope.text.partition("\r")[2],
        size=refusal.size,
        charset=envelope.charset,
        version=envelope.version,
        address=refusal.address,
    )
    with for_purpose(Purpose.EXCHANGE, actor):
        (message_id,) = storing.store([arrival])
    now: datetime = timezone.now()
    Refusal.objects.filter(pk=refusal.pk).update(settled_at=now, message_id=message_id)
    return verdict
