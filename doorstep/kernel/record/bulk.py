"""Bulk Data export (hl7.org/fhir/uv/bulkdata/export.html): a job that writes NDJSON files piece by piece.

Each piece is a file of one type and its own transaction with the place where the next one begins: a worker that dies loses
nothing and the next goes on there. The job reads as the hospital system that asked, behind the same wall.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting, bind
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.scopes import Scopes, parse
from doorstep.kernel.jobs import outbox
from doorstep.kernel.record import search
from doorstep.kernel.record.models import BulkExport, BulkFile

JOB = "doorstep.bulk_export"
# Lines of a file, and bytes as they are stored; a file also ends with the line that passes them.
LINES = 10_000
BYTES = 8 * 1024 * 1024
# Lines that are brought here to be asked of a search.
_LOOKED_AT = 5_000
_PIECE = """
SELECT id, fhir_id, content::text, resident_id FROM record_resource
WHERE type = %(type)s AND id > %(after)s AND NOT deleted {more} ORDER BY id LIMIT %(lines)s
"""
# What a resident is told: once for an export, however many files name them.
_RESIDENTS = """
SELECT audit_looks(%s::jsonb, 'fhir.export', %s, seen.people, '', '{}')
FROM (SELECT ARRAY(SELECT DISTINCT unnest(residents) FROM record_bulkfile WHERE export_id = %s) AS people) AS seen
WHERE cardinality(seen.people) > 0
"""
# Row, id, text and resident of a line.
_Line = tuple[int, str, str, int | None]
# States in which nobody may fetch a file; how many exports or files are taken in one transaction.
_GONE = (BulkExport.State.CANCELLED, BulkExport.State.EXPIRED)
_AT_ONCE = 50
ActorOf = Callable[[str], Actor | None]
_actor_of: list[ActorOf] = []


def install(actor_of: ActorOf) -> None:
    """Wire what knows the hospital systems by name; the last one counts."""
    _actor_of[:] = [actor_of]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an export is asked for: its address, types (all without any), residents (all without any), and since when."""

    request: str
    types: tuple[str, ...] = ()
    resident_ids: tuple[int, ...] | None = None
    of_patients: bool = False
    since: datetime | None = None
    # Searches by type; of a type with searches only what one of them finds.
    filters: dict[str, list[str]] = field(default_factory=dict)


@transaction.atomic
def start(wanted: Wanted, *, actor: Actor) -> BulkExport:
    """Begin an export; the job follows."""
    export = BulkExport.objects.create(
        client=actor.client,
        organization_id=actor.organization_id,
        request=wanted.request[:2_000],
        types=sorted(wanted.types) or sorted(resource_types()),
        of_residents=None if wanted.resident_ids is None else list(wanted.resident_ids),
        of_patients=wanted.of_patients,
        since=wanted.since,
        filters=wanted.filters,
    )
    audit.record(
        action="fhir.export", actor=actor, subject=f"export/{export.key}", details={"types": list(wanted.types)}
    )
    outbox.defer(JOB, export_id=export.pk)
    return export


def get(*, key: uuid.UUID, actor: Actor) -> BulkExport:
    """An export of this very client; raises NotFound."""
    found = BulkExport.objects.filter(key=key, client=actor.client, organization_id=actor.organization_id).first()
    if found is None or found.state in _GONE or (found.finished_at is not None and expires_at(found) <= timezone.now()):
        raise NotFound()
    return found


def expires_at(export: BulkExport) -> datetime:
    """Until when the files are kept: the manifest's `Expires` says it, and the address is 404 from then on."""
    return (export.finished_at or export.requested_at) + timedelta(hours=settings.EXPORT_KEPT_HOURS)


def expire(*, actor: Actor) -> int:
    """Close the exports whose time is over, and throw away files that nobody may fetch; returns how many files went.

    An export that was never finished (its system was stopped) counts from when it was asked for. Closing and each handful of files
    are transactions of their own: who is killed in between is followed by the next run, which begins with what is left.
    """
    over = timezone.now() - timedelta(hours=settings.EXPORT_KEPT_HOURS)
    late = Q(finished_at__lte=over) | Q(finished_at__isnull=True, requested_at__lte=over)
    with acting(actor):
        ended = BulkExport.objects.select_for_update(skip_locked=True).exclude(state__in=_GONE).filter(late)
        for export in ended.order_by("id")[:_AT_ONCE]:
            BulkExport.objects.filter(pk=export.pk).update(state=BulkExport.State.EXPIRED)
            audit.record(action="fhir.export-expire", actor=actor, subject=f"export/{export.key}")
    gone = 0
    while True:
        with acting(actor):
            left = (
                BulkFile.objects.filter(export__state__in=_GONE).order_by("id").values_list("id", flat=True)[:_AT_ONCE]
            )
            count = BulkFile.objects.filter(id__in=list(left)).delete()[0]
        gone += count
        if count < _AT_ONCE:
            return gone


def files(export: BulkExport) -> Iterator[tuple[int, str, int]]:
    """Number, type and lines of the files that are finished."""
    yield from export.files.order_by("id").values_list("id", "type", "lines")


def file_of(export: BulkExport, number: int) -> tuple[str, bytes]:
    """The type and the NDJSON of one file of a finished export; raises NotFound."""
    if export.state != BulkExport.State.DONE:
        # Whoever is in a file learns of it with the end of the export: before it nobody fetches one.
        raise NotFound()
    found = export.files.filter(id=number).values_list("type", "body").first()
    if found is None:
        raise NotFound()
    return found[0], bytes(found[1])


@transaction.atomic
def cancel(export: BulkExport, *, actor: Actor) -> None:
    """Stop an export and throw its files away."""
    BulkExport.objects.filter(pk=export.pk).update(state=BulkExport.State.CANCELLED)
    export.files.all().delete()
    audit.record(action="fhir.export-cancel", actor=actor, subject=f"export/{export.key}")


def work(export_id: int) -> None:
    """Write piece after piece until the export is complete or cancelled."""
    while step(export_id):
        pass


@transaction.atomic
def step(export_id: int) -> bool:
    """Write the next piece; False when there is nothing left to do."""
    actor = bound("record_export_client", export_id)
    if actor is None:
        return False
    export = BulkExport.objects.select_for_update().get(pk=export_id)
    if export.state not in (BulkExport.State.ACCEPTED, BulkExport.State.RUNNING):
        return False
    if export.type_index >= len(export.types):
        export.state, export.finished_at = BulkExport.State.DONE, timezone.now()
        export.save(update_fields=["state", "finished_at"])
        _note_residents(export, actor)
        return False
    kind, scopes = export.types[export.type_index], scopes_of(actor)
    # What was taken from the system since it asked is written no more.
    allowed = scopes is None or scopes.cover(kind, "r")
    last = (_with_filters if export.filters.get(kind) else _whole)(export, kind) if allowed else None
    if last is None:
        export.type_index, export.after = export.type_index + 1, 0
    else:
        export.after = last
    if export.failure:
        export.state, export.finished_at = BulkExport.State.FAILED, timezone.now()
    else:
        export.state = BulkExport.State.RUNNING
    export.save(update_fields=["state", "type_index", "after", "failure", "finished_at"])
    return not export.failure


def _note_residents(export: BulkExport, actor: Actor) -> None:
    """One entry for each resident in the files, in the transaction from which on they can be fetched."""
    with connection.cursor() as cursor:
        cursor.execute(_RESIDENTS, [as_json(audit.who(actor)), f"export/{export.key}", export.pk])


def _whole(export: BulkExport, kind: str) -> int | None:
    """Write a piece without looking at it; returns its last row, None when there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT last FROM record_export_piece(%s, %s, %s, %s, %s, %s, %s, %s)",
            [export.pk, kind, export.after, LINES, BYTES, export.of_residents, export.of_patients, export.since],
        )
        last: int | None = cursor.fetchone()[0]
    return last


def _with_filters(export: BulkExport, kind: str) -> int | None:
    """Write of a piece what a search of its type finds; returns its last row, None when there was none."""
    rows = _piece(export, kind)
    whose = {fhir_id: resident_id for _, fhir_id, _, resident_id in rows}
    try:
        with transaction.atomic():
            chosen = _chosen(export.filters[kind], kind, rows)
    except FhirRefused as refused:
        # A search that asks too much would ask it again and again: the client is told instead of waiting for ever.
        export.failure = refused.sentence[:500]
        return None
    if chosen:
        body = "\n".join(text for _, text in chosen) + "\n"
        people = {whose[fhir_id] for fhir_id, _ in chosen}
        BulkFile.objects.create(
            export=export,
            type=kind,
            lines=len(chosen),
            body=body.encode(),
            residents=sorted(one for one in people if one is not None),
        )
    return rows[-1][0] if rows else None


def bound(question: str, job_id: int) -> Actor | None:
    """The hospital system behind an export or import, bound; None when it was revoked. The question is an SQL function of its id."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {question}(%s)", [job_id])
        name = cursor.fetchone()[0]
    actor = _actor_of[0](name) if name and _actor_of else None
    if actor is not None:
        bind(actor)
    return actor


def scopes_of(actor: Actor) -> Scopes | None:
    """The scopes that the operator gave the hospital system today; None for one that has none and may all that its unit may."""
    client = access.client_by_name(actor.client)
    return parse(client.scopes) if client is not None and client.scopes else None


def _chosen(filters: list[str], kind: str, rows: list[_Line]) -> list[tuple[str, str]]:
    """The resources among the rows that a search of the type finds: id and text."""
    ids = [fhir_id for _, fhir_id, _, _ in rows]
    found: set[str] = set()
    for one in filters if ids else []:
        found.update(search.matching(kind, parse_qsl(one, keep_blank_values=True), limit=len(ids), among=ids))
    return [(fhir_id, text) for _, fhir_id, text, _ in rows if fhir_id in found]


def _piece(export: BulkExport, kind: str) -> list[_Line]:
    clauses, values = [], {"type": kind, "after": export.after, "lines": min(LINES, _LOOKED_AT)}
    facts: dict[str, Any] = dict(values)
    if export.of_residents is not None:
        clauses.append("AND resident_id = ANY(%(residents)s)")
        facts["residents"] = export.of_residents
    elif export.of_patients:
        clauses.append("AND resident_id IS NOT NULL")
    if export.since is not None:
        clauses.append("AND updated_at >= %(since)s")
        facts["since"] = export.since
    with connection.cursor() as cursor:
        cursor.execute(_PIECE.format(more=" ".join(clauses)), facts)
        return list(cursor.fetchall())
