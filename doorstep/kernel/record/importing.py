"""Bulk import: NDJSON of a hospital system, written batch by batch as that system itself would write it.

Each batch is a transaction that also keeps the place of the next one: a worker or an operator's command that dies loses nothing,
and whoever goes on writes nothing twice. What a line names may stand further down or in another file, so such lines wait: when all
are read, sweeps go over those that wait until a sweep can write none of them; these are refused. What follows from the lines, as a
list of problems does, is made when all are written, once for each resident; also of an import that is cancelled.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.negotiation import LARGEST_BODY
from doorstep.kernel.fhir.outcome import FhirRefused, issues_of
from doorstep.kernel.fhir.scopes import granting
from doorstep.kernel.jobs import outbox
from doorstep.kernel.record import following
from doorstep.kernel.record import lines as writer
from doorstep.kernel.record.bulk import bound, scopes_of
from doorstep.kernel.record.lines import Line
from doorstep.kernel.record.models import BulkImport, BulkLine, BulkPiece

JOB = "doorstep.bulk_import"
# Lines of a batch; a batch also ends with the line that passes this many bytes.
LINES = 2_000
BYTES = 4 * 1024 * 1024
# hl7.org/fhir/tools/StructureDefinition-operationoutcome-issue-line.html, as validators give it.
ISSUE_LINE = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
_LONGEST = LARGEST_BODY + 1
_CLIENT = "record_import_client"
# For those who hold one without knowing its table.
Import = BulkImport
# Imports of one run, and refused lines of one transaction.
_AT_ONCE = 1_000
_OPEN = (BulkImport.State.ACCEPTED, BulkImport.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Input:
    """One file of an import: what its sender calls it, the type of its lines ("" for any), and the lines."""

    url: str
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """How far an import is: lines read, written by outcome, waiting for others, refused."""

    lines: int
    created: int
    updated: int
    unchanged: int
    waiting: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """Lines as they stand in a file, and where the next batch begins."""

    lines: list[tuple[int, bytes]]
    position: int
    last: int


@transaction.atomic
def start(inputs: Sequence[Input], *, request: str, base: str, actor: Actor) -> BulkImport:
    """Take NDJSON in for a job that follows; `base` is the address under which its sender knows this interface."""
    load = _begin(request=request, inputs=[(one.url, one.type) for one in inputs], actor=actor)
    for number, one in enumerate(inputs):
        first = 1
        for group in _groups(one.body.split(b"\n")):
            BulkPiece.objects.create(bulk_import=load, input=number, first_line=first, body=b"\n".join(group))
            first += len(group)
    outbox.defer(JOB, import_id=load.pk, base=base)
    return load


@transaction.atomic
def start_file(*, name: str, digest: str, actor: Actor) -> BulkImport:
    """The import of an operator's file: the one that was begun with the same content, or a new one."""
    actor.check(Permission.FHIR_WRITE)
    before = BulkImport.objects.filter(client=actor.client, organization_id=actor.organization_id, digest=digest)
    found = before.exclude(state=BulkImport.State.CANCELLED).order_by("id").last()
    return found or _begin(request=name, inputs=[(name, "")], digest=digest, actor=actor)


def get(*, key: uuid.UUID, actor: Actor) -> BulkImport:
    """An import of this very client; raises NotFound."""
    found = BulkImport.objects.filter(key=key, client=actor.client, organization_id=actor.organization_id).first()
    if found is None or found.state == BulkImport.State.CANCELLED:
        raise NotFound()
    return found


def tally(load: BulkImport) -> Tally:
    """The numbers of an import as they are now."""
    left = load.faults.aggregate(waiting=Count("id", filter=Q(body__isnull=False)), all=Count("id"))
    return Tally(load.lines, load.created, load.updated, load.unchanged, left["waiting"], left["all"] - left["waiting"])


def refused_lines(load: BulkImport, input: int) -> Iterator[str]:
    """The OperationOutcomes of one input's refused lines, in their order, as JSON."""
    found = load.faults.filter(input=input, body__isnull=True).order_by("number")
    yield from found.values_list("outcome", flat=True).iterator()


def refused_by_input(load: BulkImport) -> dict[int, int]:
    """How many lines of each input were refused."""
    rows = load.faults.filter(body__isnull=True).values_list("input").annotate(Count("id"))
    return dict(rows.order_by("input"))


@transaction.atomic
def cancel(load: BulkImport, *, actor: Actor) -> None:
    """Stop an import: what is written stays, what waits is thrown away."""
    # Waits for a batch that is being written.
    BulkImport.objects.filter(pk=load.pk).update(state=BulkImport.State.CANCELLED)
    following.lines_of(load).delete()
    load.faults.all().delete()
    if load.pieces.exists():
        outbox.defer(JOB, import_id=load.pk, base="")
    audit.record(action="fhir.import-cancel", actor=actor, subject=f"import/{load.key}")


def forget(*, actor: Actor) -> int:
    """Throw away the imports that ended longer ago than they are kept, what was refused of them with them; returns how many.

    What they wrote stays, with its history, its Provenance and its audit entries. One that waits or runs is never thrown away. Each handful
    of lines and each import is a transaction of its own: the next run begins with what is left.
    """
    over = timezone.now() - timedelta(days=settings.IMPORT_KEPT_DAYS)
    ended = Q(state=BulkImport.State.DONE, finished_at__lte=over) | Q(
        state=BulkImport.State.CANCELLED, requested_at__lte=over
    )
    with acting(actor):
        late = list(BulkImport.objects.filter(ended).order_by("id").values_list("id", flat=True)[:_AT_ONCE])
    for import_id in late:
        while True:
            with acting(actor):
                lines = BulkLine.objects.filter(bulk_import_id=import_id).order_by("id").values_list("id", flat=True)
                if not BulkLine.objects.filter(id__in=list(lines[:_AT_ONCE])).delete()[0]:
                    break
        with acting(actor):
            load = BulkImport.objects.get(pk=import_id)
            load.delete()
            audit.record(action="fhir.import-forget", actor=actor, subject=f"import/{load.key}")
    return len(late)


def work(import_id: int, *, base: str = "") -> None:
    """Write batch after batch until the import is complete or cancelled."""
    while step(import_id, base=base):
        pass


@transaction.atomic
def step(import_id: int, *, base: str = "") -> bool:
    """Write the next piece, or sweep over lines that wait; False when there is nothing left to do."""
    actor = bound(_CLIENT, import_id)
    load = BulkImport.objects.select_for_update().get(pk=import_id) if actor else None
    if actor is None or load is None:
        return False
    if load.state not in _OPEN:
        return following.step(load, actor=actor)
    piece = following.lines_of(load).order_by("id").first()
    if piece is None:
        return _sweep(load, actor, base)
    type = load.inputs[piece.input]["type"]
    texts = enumerate(bytes(piece.body).split(b"\n"), piece.first_line)
    found = [writer.read(number, text, type=type) for number, text in texts if text.strip()]
    load.lines += len(found)
    _take(load, found, input=piece.input, actor=actor, base=base)
    piece.delete()
    return True


def work_file(import_id: int, path: Path, *, say: Callable[[Tally], object]) -> None:
    """Write an operator's file from where its import stands; the next batch is read and validated while one is written."""
    with transaction.atomic():
        bound(_CLIENT, import_id)
        load = BulkImport.objects.get(pk=import_id)
    with path.open("rb") as file, ThreadPoolExecutor(1) as reader:
        batches = _batches(file, load.position, load.lines)
        ahead = reader.submit(_next, batches)
        while (batch := ahead.result()) is not None:
            ahead = reader.submit(_next, batches)
            say(_take_from_file(import_id, *batch))
    while step(import_id):
        pass


def digest_of(path: Path) -> str:
    """By what the same file is known again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@transaction.atomic
def _take_from_file(import_id: int, batch: _Batch, found: list[Line]) -> Tally:
    actor = bound(_CLIENT, import_id)
    if actor is None:
        raise NotFound()
    load = BulkImport.objects.select_for_update().get(pk=import_id)
    if load.state in _OPEN and load.position < batch.position:
        load.position, load.lines = batch.position, batch.last
        _take(load, found, input=0, actor=actor, base="")
    return tally(load)


def _next(batches: Iterator[_Batch]) -> tuple[_Batch, list[Line]] | None:
    batch = next(batches, None)
    return None if batch is None else (batch, [writer.read(number, text) for number, text in batch.lines])


def _batches(file: BufferedReader, position: int, last: int) -> Iterator[_Batch]:
    file.seek(position)
    found: list[tuple[int, bytes]] = []
    size = 0
    while text := file.readline(_LONGEST):
        begun, last = position, last + 1
        position += len(text) + _rest_of(file, text)
        size += position - begun
        if text.strip():
            found.append((last, text))
        if len(found) >= LINES or size >= BYTES:
            yield _Batch(found, position, last)
            found, size = [], 0
    if size:
        yield _Batch(found, position, last)


def _rest_of(file: BufferedReader, text: bytes) -> int:
    """Pass over what a line has beyond the longest that is taken; returns its bytes."""
    passed = 0
    while len(text) == _LONGEST and not text.endswith(b"\n"):
        text = file.readline(_LONGEST)
        passed += len(text)
    return passed


def _groups(texts: list[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if len(group) >= LINES or size >= BYTES:
            yield group
            group, size = [], 0
    if size:
        yield group


def _begin(*, request: str, inputs: list[tuple[str, str]], actor: Actor, digest: str = "") -> BulkImport:
    actor.check(Permission.FHIR_WRITE)
    load = BulkImport.objects.create(
        client=actor.client,
        organization_id=actor.organization_id,
        request=request[:2_000],
        inputs=[{"url": url[:500], "type": type} for url, type in inputs],
        digest=digest,
    )
    facts = {"inputs": len(inputs), **({"digest": digest} if digest else {})}
    audit.record(action="fhir.import-start", actor=actor, subject=f"import/{load.key}", details=facts)
    return load


def _take(load: BulkImport, found: list[Line], *, input: int, actor: Actor, base: str) -> None:
    """Write a batch, keep what could not be written, and where the import stands."""
    with following.remembered(load), granting(scopes_of(actor)):
        done = writer.store_each(found, subject=f"import/{load.key}", actor=actor, base=base)
    rows = [
        BulkLine(
            bulk_import=load,
            input=input,
            number=line.number,
            outcome=_outcome(line.number, line.fault),
            body=line.text if line.waits else None,
        )
        for line in found
        if line.fault is not None
    ]
    BulkLine.objects.bulk_create(rows)
    _count(load, done)


def _sweep(load: BulkImport, actor: Actor, base: str) -> bool:
    """Try a batch of the waiting lines again; False when none waits any more, or a whole sweep moved nothing."""
    waiting = list(load.faults.filter(body__isnull=False, id__gt=load.sweep_after).order_by("id")[:LINES])
    if not waiting and load.sweep_moved:
        load.sweep_after, load.sweep_moved = 0, 0
        load.save(update_fields=["sweep_after", "sweep_moved"])
        return True
    if not waiting and following.step(load, actor=actor):
        return True
    if not waiting:
        load.faults.filter(body__isnull=False).update(body=None)
        load.state, load.finished_at = BulkImport.State.DONE, timezone.now()
        load.save(update_fields=["state", "finished_at"])
        facts = {"created": load.created, "updated": load.updated, "unchanged": load.unchanged}
        audit.record(action="fhir.import-done", actor=actor, subject=f"import/{load.key}", details=facts)
        return False
    types = [one["type"] for one in load.inputs]
    found = [writer.read(row.number, bytes(row.body or b""), type=types[row.input]) for row in waiting]
    with following.remembered(load), granting(scopes_of(actor)):
        done = writer.store_each(found, subject=f"import/{load.key}", actor=actor, base=base)
    written = [row.pk for row, line in zip(waiting, found, strict=True) if line.fault is None]
    load.faults.filter(id__in=written).delete()
    load.sweep_after, load.sweep_moved = waiting[-1].pk, load.sweep_moved + len(written)
    _count(load, done)
    return True


def _count(load: BulkImport, done: Counter[str]) -> None:
    load.created += done["created"]
    load.updated += done["updated"]
    load.unchanged += done["unchanged"]
    load.state = BulkImport.State.RUNNING
    load.save(
        update_fields=[
            "lines", "position", "created", "updated", "unchanged", "sweep_after", "sweep_moved", "state",
        ]
    )  # fmt: skip


def _outcome(number: int, fault: FhirRefused | None) -> str:
    """What is wrong with a line: each issue with the line's number, and the place as its expression."""
    found: dict[str, Any] = issues_of(fault) if fault else {}
    for issue in found.get("issue", []):
        issue["extension"] = [{"url": ISSUE_LINE, "valueInteger": number}]
        issue["diagnostics"] = f"第 {number} 行 / line {number}: {issue['diagnostics']}"
    return orjson.dumps(found).decode()
