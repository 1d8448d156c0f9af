"""Binary as R4 means it: the bytes themselves for whoever does not ask for JSON (hl7.org/fhir/R4/binary.html).

What a DocumentReference or DiagnosticReport names as `Binary/<id>` is either a Binary that a hospital system has sent, or a file or a
printed report of the house, which its app finds behind the wall when it is asked for: it is not stored twice.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements, exact, negotiation
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import interactions, stored, writing

# What a browser may show by itself; anything else is only handed over, so that a file that was sent runs nothing here.
_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "text/plain"})
_UNNAMED = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file as its reader gets it. `patient` is the Patient's id; the bytes of one version never change."""

    media_type: str
    content: bytes
    at: datetime
    version: int = 1
    patient: str = ""


# (id, who reads, the address of the site) -> the file with the look at it written; None for what is not this app's or not there for the reader.
Finder = Callable[[str, Actor, str], Held | None]
_finders: list[Finder] = []


def install(finders: Iterable[Finder]) -> None:
    """Wire what knows files; the last ones count."""
    _finders[:] = finders


def find(fhir_id: str, *, actor: Actor, site: str) -> Held | None:
    """The file behind `Binary/<id>`, the look at it in the trail; None when it is not there or not the reader's.

    `site` is the address of the site, to which printed codes lead. Raises FhirRefused (410) for one that was deleted.
    """
    found = stored.looked_at(type="Binary", fhir_id=fhir_id, actor=actor)
    if found is None:
        return next((held for finder in _finders if (held := finder(fhir_id, actor, site)) is not None), None)
    if found.deleted:
        raise interactions.gone(found)
    content = found.content()
    try:
        data = base64.b64decode(content.get("data", ""))
    except binascii.Error:
        data = b""
    context = str((content.get("securityContext") or {}).get("reference", ""))
    patient = context.removeprefix("Patient/") if context.startswith("Patient/") else ""
    return Held(
        media_type=content["contentType"], content=data, at=found.updated_at, version=found.version, patient=patient
    )


def handed(held: Held) -> HttpResponse:
    """The bytes as an answer that a browser shows only when nothing in them can run."""
    kind = held.media_type.split(";")[0].strip().lower()
    is_shown = kind in _SHOWN
    response = HttpResponse(held.content, content_type=held.media_type if kind else _UNNAMED)
    response.headers["Content-Disposition"] = "inline" if is_shown else "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not is_shown:
        response.headers["Content-Security-Policy"] = "sandbox"
    return response


def page_of(fhir_id: str, *, actor: Actor, site: str) -> HttpResponse | None:
    """What `Binary/<id>` holds at an address of pages; None when it is not there any more, or not the reader's."""
    try:
        held = find(fhir_id, actor=actor, site=site)
    except FhirRefused:
        return None
    return None if held is None else on_page(held)


def on_page(held: Held) -> HttpResponse:
    """The same at an address of pages: what is not shown loses its type, so that no page takes it for a script of the house."""
    response = handed(held)
    if response.headers["Content-Disposition"] == "attachment":
        response.headers["Content-Type"] = _UNNAMED
    response.headers["Cache-Control"] = "private, no-store"
    return response


@machine
def collection(request: HttpRequest) -> HttpResponse:
    """/fhir/Binary: as any type, but that POST takes a file as it is."""
    if request.method == "POST" and not negotiation.is_resource(request):
        return interactions.create(request, "Binary", _sent(request, {}))
    return interactions.on_type(request, "Binary")


@machine
def single(request: HttpRequest, fhir_id: str) -> HttpResponse:
    """/fhir/Binary/<id>: the bytes, or the resource for whoever asks for JSON; PUT takes either."""
    if request.method == "PUT" and not negotiation.is_resource(request):
        before = stored.fetch(type="Binary", fhir_id=fhir_id)
        kept = {} if before is None or before.deleted else before.content()
        return interactions.update(request, "Binary", fhir_id, {**_sent(request, kept), "id": fhir_id})
    if request.method not in ("GET", "HEAD"):
        return interactions.on_instance(request, "Binary", fhir_id)
    allow(request, "Binary", "r")
    held = find(fhir_id, actor=interactions.actor_of(request), site=request.build_absolute_uri("/"))
    if held is None:
        raise FhirRefused(404, "not-found", writing.ABSENT)
    headers = negotiation.version_headers(version=held.version, updated_at=held.at)
    if negotiation.unchanged(request, version=held.version, updated_at=held.at):
        return HttpResponse(status=304, headers=headers)
    if negotiation.asks_resource(request):
        return answer(negotiation.shortened(request, exact.dumps(_resource(fhir_id, held)).decode()), headers=headers)
    response = handed(held)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _sent(request: HttpRequest, before: elements.Json) -> elements.Json:
    """What came as it is, as a Binary; `X-Security-Context` says whose it is, else it stays whose it was."""
    data = negotiation.unpacked(request)
    if not data:
        raise FhirRefused(400, "required", "没有内容 / the body is empty", "Binary.data")
    context = request.headers.get("X-Security-Context", "").strip()
    context = context.removeprefix(interactions.base_of(request))
    return elements.compact(
        {
            "resourceType": "Binary",
            "contentType": request.headers.get("Content-Type", "") or _UNNAMED,
            "securityContext": {"reference": context} if context else before.get("securityContext"),
            "data": base64.b64encode(data).decode(),
        }
    )


def _resource(fhir_id: str, held: Held) -> elements.Json:
    return elements.compact(
        {
            "resourceType": "Binary",
            "id": fhir_id,
            "meta": {"versionId": str(held.version), "lastUpdated": elements.instant(held.at)},
            "contentType": held.media_type,
            "securityContext": elements.reference("Patient", held.patient) if held.patient else None,
            "data": base64.b64encode(held.content).decode(),
        }
    )
