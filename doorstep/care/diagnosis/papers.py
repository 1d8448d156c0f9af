"""Recordings and printed reports as machines and pages read them by `Binary/<id>`: the id of the recording, or of the order."""

from urllib.parse import urljoin
from uuid import UUID

from django.urls import reverse

from doorstep.care.diagnosis import printing, queries
from doorstep.care.diagnosis.models import CATEGORY, EcgOrder
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.files import queries as files
from doorstep.kernel.files.models import StoredFile
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.binaries import Held
from doorstep.people.residents.models import Resident

_PDF = "application/pdf"


def find(fhir_id: str, actor: Actor, site: str) -> Held | None:
    """The recording or the newest printed report of this id, the look written; None for neither, or one that is not the reader's."""
    try:
        key = UUID(fhir_id)
    except ValueError:
        return None
    recording = _recording(key)
    if recording is not None:
        subject = recording.episode or f"file/{key}"
        record.note_look(resident_id=recording.resident_id, actor=actor, subject=subject, action="ecg.view")
        return Held(
            media_type=recording.media_type,
            content=bytes(recording.content),
            at=recording.stored_at,
            patient=_patient(recording.resident_id),
        )
    order = queries.find_order(key)
    return None if order is None else _report(order, actor, site)


def _recording(key: UUID) -> StoredFile | None:
    try:
        found = files.get(key)
    except NotFound:
        return None
    return found if found.category == CATEGORY else None


def _patient(resident_id: int) -> str:
    return str(Resident.objects.filter(pk=resident_id).values_list("key", flat=True).first() or "")


def _report(order: EcgOrder, actor: Actor, site: str) -> Held | None:
    versions = queries.versions(order=order)
    if not versions:
        return None
    newest = versions[-1]
    try:
        body = printing.pdf_of(order, newest, address=urljoin(site, reverse("verify-report", args=[newest.key])))
    except NotFound:
        return None
    record.note_look(resident_id=order.resident_id, actor=actor, subject=order.subject, action="ecg-order.print")
    return Held(
        media_type=_PDF, content=body, at=newest.signed_at, version=newest.number, patient=_patient(order.resident_id)
    )
