"""Reading and verifying the trail."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit.actions import audit_key, same
from doorstep.kernel.audit.digest import COLUMNS, chain, digest
from doorstep.kernel.audit.models import AuditEntry, AuditSeal, AuditSealedEntry


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that is not as it was sealed. `kind`: changed, missing, inserted, moved or chain."""

    kind: str
    entry_id: int | None
    seal_number: int
    sentence: str


def who_looked(
    *, resident_id: int, actor: Actor, own_accounts: Collection[int] = (), limit: int = 100
) -> list[AuditEntry]:
    """Who read or changed the resident's record, newest first: at most `limit` acts of people, and as many of systems.

    A system that asks every minute drives nobody's look off the list.

    What the resident's own accounts did on the pages is left out; who acts for the resident and what apps read is not.
    """
    own_pages = Q(actor_kind="resident", user_id__in=own_accounts) & ~Q(action__startswith="fhir.")
    about = AuditEntry.objects.filter(resident_id__in=[resident_id, *access.formers_of(resident_id=resident_id)])
    people = about.exclude(actor_kind__in=("system", "client")).exclude(own_pages).order_by("-at")[:limit]
    systems = about.filter(actor_kind="client").order_by("-at")[:limit]
    return list(people.union(systems, all=True).order_by("-at"))


def search(
    *,
    organization_ids: Sequence[int],
    resident_id: int | None = None,
    text: str = "",
    acts: Sequence[str] = (),
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 200,
) -> list[AuditEntry]:
    """Entries of these units, newest first, by resident, by a part of the actor's name or act, and by time.

    `acts` are the codes of acts whose words hold the text.
    Read under the purpose of sealing, after the asker's own search was recorded.
    """
    found = AuditEntry.objects.filter(organization_id__in=organization_ids)
    if resident_id is not None:
        found = found.filter(resident_id__in=[resident_id, *access.formers_of(resident_id=resident_id)])
    if text:
        found = found.filter(Q(actor_name__contains=text) | Q(action__startswith=text) | Q(action__in=acts))
    if start is not None:
        found = found.filter(at__gte=start)
    if end is not None:
        found = found.filter(at__lt=end)
    return list(found.order_by("-at", "-id")[:limit])


def entries(
    *, conditions: Sequence[Q], after: tuple[datetime, int] | None = None, newest_first: bool = True, limit: int
) -> list[AuditEntry]:
    """Entries that the actor may read and that meet every condition, in the order of time, from behind one of them on."""
    found = AuditEntry.objects.filter(*conditions)
    if after is not None:
        at, number = after
        beyond = Q(at__lt=at) | Q(at=at, id__lt=number) if newest_first else Q(at__gt=at) | Q(at=at, id__gt=number)
        found = found.filter(beyond)
    return list(found.order_by(*(("-at", "-id") if newest_first else ("at", "id")))[:limit])


def count(*, conditions: Sequence[Q], most: int) -> int:
    """How many entries meet every condition, counted no further than `most`."""
    return AuditEntry.objects.filter(*conditions)[:most].count()


def seal_states(entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Of each entry: "whole" (sealed and as it was), "changed", or "waiting" for its seal."""
    ids = [entry.pk for entry in entries]
    seals = {row.entry_id: bytes(row.digest) for row in AuditSealedEntry.objects.filter(entry_id__in=ids)}
    key = audit_key()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM audit_auditentry WHERE id = ANY(%s)", [ids])
        rows = {row[0]: row for row in cursor.fetchall()}
    return {
        number: "waiting" if number not in seals else "whole" if same(digest(key, row), seals[number]) else "changed"
        for number, row in rows.items()
    }


def verify() -> Iterator[Finding]:
    """Walk all seals and yield every row that was changed, removed, inserted or moved, and every broken link of the chain."""
    key = audit_key()
    previous = b""
    expected = 1
    position = 0
    for seal in AuditSeal.objects.order_by("number").iterator():
        if seal.number != expected:
            yield Finding("missing", None, expected, f"第 {expected} 号封签缺失 / seal {expected} is missing")
            expected = seal.number
        if seal.from_number != position:
            yield Finding(
                "chain",
                None,
                seal.number,
                f"第 {seal.number} 号封签的起点被改动 / bounds of seal {seal.number} changed",
            )
        yield from _verify_batch(key, previous, seal)
        previous, expected, position = bytes(seal.chain), seal.number + 1, seal.to_number


def _verify_batch(key: bytes, previous: bytes, seal: AuditSeal) -> Iterator[Finding]:
    sealed = {
        row.entry_id: row
        for row in AuditSealedEntry.objects.filter(seal_number=seal.number).order_by("position").iterator()
    }
    rows = _rows(seal)
    digests = [bytes(row.digest) for row in sealed.values()]
    if len(sealed) != seal.entries or not same(
        chain(key, previous, number=seal.number, start=seal.from_number, end=seal.to_number, digests=digests),
        bytes(seal.chain),
    ):
        yield Finding(
            "chain", None, seal.number, f"第 {seal.number} 号封签与其链不符 / seal {seal.number} does not fit its chain"
        )
    for entry_id, row in rows.items():
        if entry_id not in sealed:
            yield Finding(
                "inserted",
                entry_id,
                seal.number,
                f"审计记录 {entry_id} 是封签之后插入的 / entry {entry_id} was inserted",
            )
        elif not same(digest(key, row), bytes(sealed[entry_id].digest)):
            yield Finding(
                "changed", entry_id, seal.number, f"审计记录 {entry_id} 被改动 / entry {entry_id} was changed"
            )
    for entry_id in sealed.keys() - rows.keys():
        yield _absent(entry_id, seal)


def _absent(entry_id: int, seal: AuditSeal) -> Finding:
    if AuditEntry.objects.filter(id=entry_id).exists():
        return Finding("moved", entry_id, seal.number, f"审计记录 {entry_id} 被移出原位置 / entry {entry_id} was moved")
    return Finding("missing", entry_id, seal.number, f"审计记录 {entry_id} 缺失 / entry {entry_id} is missing")


def _rows(seal: AuditSeal) -> dict[int, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM audit_auditentry WHERE transaction_number >= %s AND transaction_number < %s"
            " ORDER BY transaction_number, id",
            [seal.from_number, seal.to_number],
        )
        return {row[0]: row for row in cursor.fetchall()}
