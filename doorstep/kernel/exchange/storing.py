"""Putting messages into the store, many in one transaction: what is stored survives everything, and only then is it answered."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Func, Value
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from doorstep.kernel.access.encryption import blind_index, seal_many
from doorstep.kernel.exchange.formats import format_of
from doorstep.kernel.exchange.models import Connection, Message, Stranger
from doorstep.kernel.jobs.outbox import defer

LANES = 32
# Whoever reaches the port may call itself anything: of names that nobody registered so many are kept.
STRANGERS = 500
# Two tell that there is more than one; an engineer who looks sees a few.
CERTIFICATES = 5
WORK_LANE = "doorstep.exchange_work_lane"

_STORE = """
INSERT INTO exchange_message (key, connection_id, organization_id, consortium_id, format, type, control_id, fingerprint, version,
    charset, size, body, lane, patient_indexes, received_at, address, duplicates, state, state_at, attempts, replays, results,
    notes, error_kind, error_place, error_facts)
SELECT gen_random_uuid(), given.connection, given.organization, given.consortium, given.format, given.type, given.control,
    given.fingerprint, given.version, given.charset, given.size, given.body, given.lane, given.indexes::uuid[], %(now)s,
    given.address, 0, 'received', %(now)s, 0, 0, '[]', '[]', '', '', '{}'
FROM unnest(%(connection)s::bigint[], %(organization)s::bigint[], %(consortium)s::bigint[], %(format)s::text[], %(type)s::text[],
    %(control)s::text[], %(fingerprint)s::text[], %(version)s::text[], %(charset)s::text[], %(size)s::int[], %(body)s::bytea[],
    %(lane)s::int[], %(indexes)s::text[], %(address)s::text[])
  AS given (connection, organization, consortium, format, type, control, fingerprint, version, charset, size, body, lane, indexes,
    address)
ON CONFLICT (connection_id, control_id, fingerprint) DO UPDATE SET duplicates = exchange_message.duplicates + 1
RETURNING id, connection_id, control_id, fingerprint, lane, (xmax = 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that has come in and is to be stored."""

    connection_id: int
    organization_id: int
    consortium_id: int | None
    format: str
    type: str
    control_id: str
    fingerprint: str
    version: str
    charset: str
    body: str
    size: int
    lane: int
    patient_indexes: tuple[str, ...]
    address: str

    @property
    def identity(self) -> tuple[int, str, str]:
        """What makes two arrivals the same message."""
        return self.connection_id, self.control_id, self.fingerprint


def arrive(
    sender: Connection,
    *,
    format: str,
    type: str,
    control_id: str,
    text: str,
    content: str,
    size: int,
    charset: str = "utf-8",
    version: str = "",
    address: str = "",
) -> Arrival:
    """The form in which a message is stored; `content` is the part of the text that makes it what it is."""
    keys = format_of(format).keys(text)
    return Arrival(
        connection_id=sender.pk,
        organization_id=sender.organization_id,
        consortium_id=sender.consortium_id,
        format=format,
        type=type,
        control_id=control_id,
        fingerprint=hashlib.sha256(f"{type}\0{content}".encode()).hexdigest(),
        version=version,
        charset=charset,
        body=text,
        size=size,
        lane=lane_of(keys.lane or control_id),
        patient_indexes=tuple(str(patient_index(number)) for number in keys.numbers),
        address=address,
    )


def lane_of(patient: str) -> int:
    """The lane of a patient: messages of one lane are worked in the order in which they came."""
    return int.from_bytes(hashlib.blake2b(patient.encode(), digest_size=4).digest()) % LANES


def patient_index(number: str) -> UUID:
    """The keyed index of a number by which a message names its patient.

    The same as the index of people: what waits for somebody is found by comparing indexes.
    """
    return blind_index("national-id", number)


@transaction.atomic
def store(arrivals: Sequence[Arrival]) -> list[int]:
    """Store messages and the jobs that work them, in the running transaction of the system; returns the id of each.

    A message that is there already is counted as a repetition and makes no job.
    """
    first: dict[tuple[int, str, str], Arrival] = {}
    for one in arrivals:
        first.setdefault(one.identity, one)
    stored = _insert(list(first.values()))
    ids = {(row[1], row[2], row[3]): row[0] for row in stored}
    again = [ids[one.identity] for one in arrivals if first[one.identity] is not one]
    with connection.cursor() as cursor:
        for message_id in again:
            cursor.execute("UPDATE exchange_message SET duplicates = duplicates + 1 WHERE id = %s", [message_id])
    for connection_id, lane in sorted({(row[1], row[4]) for row in stored if row[5]}):
        call_for_work(connection_id=connection_id, lane=lane)
    return [ids[one.identity] for one in arrivals]


def are_known(arrivals: Sequence[Arrival]) -> bool:
    """Whether every one of them has come before, to the letter."""
    prints = {one.fingerprint for one in arrivals}
    ids = {one.connection_id for one in arrivals}
    rows = Message.objects.filter(
        connection_id__in=ids, fingerprint__in=prints, control_id__in={one.control_id for one in arrivals}
    )
    found = set(rows.values_list("connection_id", "control_id", "fingerprint"))
    return bool(arrivals) and all(one.identity in found for one in arrivals)


def _insert(arrivals: list[Arrival]) -> list[tuple[int, int, str, str, int, bool]]:
    with connection.cursor() as cursor:
        # The answer says "stored": also where an installation lets other work commit without waiting for the disk.
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute(
            _STORE,
            {
                "now": timezone.now(),
                "connection": [one.connection_id for one in arrivals],
                "organization": [one.organization_id for one in arrivals],
                "consortium": [one.consortium_id for one in arrivals],
                "format": [one.format for one in arrivals],
                "type": [one.type for one in arrivals],
                "control": [one.control_id for one in arrivals],
                "fingerprint": [one.fingerprint for one in arrivals],
                "version": [one.version for one in arrivals],
                "charset": [one.charset for one in arrivals],
                "size": [one.size for one in arrivals],
                "body": seal_many(one.body for one in arrivals),
                "lane": [one.lane for one in arrivals],
                "indexes": ["{" + ",".join(one.patient_indexes) + "}" for one in arrivals],
                "address": [one.address for one in arrivals],
            },
        )
        return list(cursor.fetchall())


def call_for_work(*, connection_id: int, lane: int) -> None:
    """Put one job for a lane into the queue, unless one waits there already; jobs of one lane run one after the other."""
    name = f"exchange/{connection_id}/{lane}"
    try:
        with transaction.atomic():
            defer(WORK_LANE, queue="exchange", lock=name, queueing_lock=name, connection_id=connection_id, lane=lane)
    except AlreadyEnqueued:
        return


@transaction.atomic
def note_stranger(*, application: str, facility: str, address: str, reason: str) -> None:
    """Count a sender that was turned away; nothing of its message is kept, and of the senders the last STRANGERS."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_stranger (application, facility, address, reason, count, first_at, last_at)"
            " VALUES (%s, %s, %s, %s, 1, %s, %s)"
            " ON CONFLICT (application, facility, address, reason)"
            " DO UPDATE SET count = exchange_stranger.count + 1, last_at = excluded.last_at RETURNING (xmax = 0)",
            [application[:180], facility[:180], address, reason, now, now],
        )
        (is_new,) = cursor.fetchone()
        if is_new:
            cursor.execute(
                "DELETE FROM exchange_stranger WHERE id IN ("
                " SELECT id FROM exchange_stranger ORDER BY last_at DESC, id DESC OFFSET %s)",
                [STRANGERS],
            )


def forget_stranger(*, application: str, facility: str) -> None:
    """A stranger became a connection."""
    Stranger.objects.filter(application=application, facility=facility).delete()


def note_alive(*, connection_ids: Iterable[int], address: str = "", certificate: str = "") -> None:
    """A connection was heard; `certificate` is the name in that of the sender, where the port asks for one."""
    now = timezone.now()
    rows = Connection.objects.filter(id__in=list(connection_ids))
    rows.update(last_heard_at=now)
    if address:
        rows.update(last_address=address, last_certificate=certificate[:255])
    if certificate:
        shown = rows.exclude(shown_certificates__contains=[certificate[:255]])
        more = Func(F("shown_certificates"), Value(certificate[:255]), function="array_append")
        shown.filter(shown_certificates__len__lt=CERTIFICATES).update(shown_certificates=more)
        rows.filter(connected_since__isnull=True).update(connected_since=now)


def note_gone(*, connection_ids: Iterable[int] | None = None) -> None:
    """A connection has closed; None: all of them, when the server starts."""
    rows = Connection.objects.filter(connected_since__isnull=False)
    if connection_ids is not None:
        rows = rows.filter(id__in=list(connection_ids))
    rows.update(connected_since=None)
