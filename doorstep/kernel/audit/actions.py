"""Writing audit entries and sealing them."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit.digest import COLUMNS, chain, digest
from doorstep.kernel.audit.models import AuditSeal, AuditSealedEntry
from doorstep.kernel.database.calls import Call, as_json, run

# One number for all sealers: whoever holds it seals, everybody else goes on without waiting.
_SEALER_LOCK = 7_015_001
_AT_ONCE = 5_000


def record(
    *,
    action: str,
    actor: Actor,
    subject: str = "",
    resident_id: int | None = None,
    basis: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry in the running transaction: the act and its trace stand or fall together."""
    run([recording(action=action, actor=actor, subject=subject, resident_id=resident_id, basis=basis, details=details)])


def recording(
    *,
    action: str,
    actor: Actor,
    subject: str = "",
    resident_id: int | None = None,
    basis: str = "",
    details: Mapping[str, Any] | None = None,
) -> Call:
    """The call that adds an entry, for an act that sends it with its other traces."""
    return _recording([_entry(action, subject, resident_id, basis=basis, details=details)], actor)


def recording_all(acts: Sequence[tuple[str, str, int | None]], *, actor: Actor) -> Call:
    """The call that adds an entry for each (action, subject, resident), for an act that sends it with its other traces."""
    return _recording([_entry(action, subject, resident_id) for action, subject, resident_id in acts], actor)


def record_by_resident(
    *, action: str, subject: str, details: Mapping[int | None, Mapping[str, Any]], actor: Actor
) -> None:
    """Add an entry of one act for each resident that it concerned, with what it did to that resident, in one statement."""
    entries = [_entry(action, subject, resident_id, details=one) for resident_id, one in details.items()]
    if entries:
        run([_recording(entries, actor)])


def record_list(
    *,
    action: str,
    actor: Actor,
    subject: str,
    resident_ids: Iterable[int | None],
    basis: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry for a list that was taken along, and one for each resident on it, who so learns of it, in one statement.

    Lists longer than 5,000 residents take a statement for every 5,000.
    """
    people = sorted({one for one in resident_ids if one is not None})
    entries = [_entry(action, subject, None, basis=basis, details=details)]
    entries += [_entry(action, subject, one, basis=basis) for one in people]
    for start in range(0, len(entries), _AT_ONCE):
        run([_recording(entries[start : start + _AT_ONCE], actor)])


def _entry(
    action: str,
    subject: str,
    resident_id: int | None,
    *,
    basis: str = "",
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "action": action,
        "resident_id": resident_id,
        "subject": subject[:120],
        "basis": basis[:200],
        "details": dict(details or {}),
    }


def _recording(entries: list[dict[str, Any]], actor: Actor) -> Call:
    return Call("audit_record", (as_json(who(actor)), as_json(entries)))


def who(actor: Actor) -> dict[str, Any]:
    """What every entry of an actor says of the actor; the first argument of the database's audit_record."""
    return {
        "actor_kind": actor.kind.value,
        "user_id": actor.user_id,
        "actor_name": _named(actor)[:80],
        "role": actor.role,
        "organization_id": actor.organization_id,
        "organization_name": actor.organization_name[:120],
        "consortium_id": actor.consortium_id,
        "purpose": actor.purpose,
        "address": actor.address,
        "request_id": actor.request_id,
    }


def _named(actor: Actor) -> str:
    """Who acted, and through which app: whoever reads of a look must know which app to stop."""
    return f"{actor.display_name[:40]}（{actor.app}）" if actor.app else actor.display_name


def audit_key() -> bytes:
    """The key of the seals: somebody who can rewrite the database still cannot rewrite the chain."""
    return hashlib.sha256(base64.b64decode(settings.AUDIT_KEY)).digest()


@transaction.atomic
def seal_batch(*, limit: int = 20_000) -> int:
    """Seal the finished entries that no seal covers yet; returns how many were sealed.

    Only transactions below the oldest running one are taken, so no entry can appear later below a seal. A second
    sealer at the same moment finds the lock taken and does nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        last = AuditSeal.objects.order_by("-number").first()
        start = last.to_number if last else 0
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        end = int(cursor.fetchone()[0])
        cursor.execute(
            f"SELECT {COLUMNS} FROM audit_auditentry WHERE transaction_number >= %s AND transaction_number < %s"
            " ORDER BY transaction_number, id LIMIT %s",
            [start, end, limit + 1],
        )
        found = cursor.fetchall()
    if len(found) > limit:
        # A batch ends between transactions, never inside one.
        end = found[limit][1]
        found = [row for row in found if row[1] < end] or found
        if found[-1][1] >= end:
            end = found[-1][1] + 1
    if not found:
        return 0
    return _write_seal(found, start=start, end=end, last=last)


def _write_seal(found: list[tuple[Any, ...]], *, start: int, end: int, last: AuditSeal | None) -> int:
    key = audit_key()
    digests = [digest(key, row) for row in found]
    number = last.number + 1 if last else 1
    previous = bytes(last.chain) if last else b""
    AuditSeal.objects.bulk_create(
        [
            AuditSeal(
                number=number,
                from_number=start,
                to_number=end,
                entries=len(found),
                chain=chain(key, previous, number=number, start=start, end=end, digests=digests),
            )
        ]
    )
    AuditSealedEntry.objects.bulk_create(
        [
            AuditSealedEntry(entry_id=row[0], seal_number=number, position=position, digest=value)
            for position, (row, value) in enumerate(zip(found, digests, strict=True))
        ],
        batch_size=5_000,
    )
    return len(found)


def same(left: bytes, right: bytes) -> bool:
    """Compare two digests without telling where they differ."""
    return hmac.compare_digest(left, right)
