"""Kick-off, state, files and end of a bulk export."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse

from doorstep.kernel.access.actor import ActorKind
from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.moments import span
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import bulk, stored
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.bulk import Wanted
from doorstep.kernel.record.interactions import actor_of, base_of, only_get
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.writing import ABSENT

NDJSON = "application/fhir+ndjson"
_FORMATS = {NDJSON, "application/ndjson", "ndjson"}


@machine
def of_server(request: HttpRequest) -> HttpResponse:
    """GET /fhir/$export: everything that the hospital may read."""
    return _kick_off(request, Wanted(request=request.build_absolute_uri()))


def of_patients(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/Patient/$export: what concerns residents."""
    return _kick_off(request, Wanted(request=request.build_absolute_uri(), of_patients=True))


def of_group(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/Group/<id>/$export: what concerns its members."""
    allow(request, "Group", "r")
    group = stored.fetch(type="Group", fhir_id=fhir_id)
    if group is None or group.deleted:
        raise FhirRefused(404, "not-found", ABSENT)
    patients = Patients()
    found = [
        patients.behind(str((member.get("entity") or {}).get("reference", "")))
        for member in group.content().get("member", [])
        if not member.get("inactive")
    ]
    members = tuple(one.resident_id for one in found if one is not None)
    return _kick_off(request, Wanted(request=request.build_absolute_uri(), resident_ids=members))


@machine
def state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The manifest when it is done, 202 before; DELETE ends it."""
    actor = actor_of(request)
    export = bulk.get(key=key, actor=actor)
    if request.method == "DELETE":
        bulk.cancel(export, actor=actor)
        return HttpResponse(status=202)
    only_get(request)
    if export.finished_at is None:
        progress = f"{export.type_index} of {len(export.types)} types"
        return HttpResponse(status=202, headers={"X-Progress": progress, "Retry-After": "2"})
    base = base_of(request)
    output = [
        {"type": kind, "url": f"{base}bulk/{export.key}/{number}", "count": lines}
        for number, kind, lines in bulk.files(export)
    ]
    manifest = {
        "transactionTime": stamp(export.requested_at),
        "request": export.request,
        "requiresAccessToken": True,
        "output": output,
        "error": [],
    }
    return JsonResponse(manifest)


@machine
def file(request: HttpRequest, key: uuid.UUID, number: int) -> HttpResponse:
    """One NDJSON file."""
    only_get(request)
    export = bulk.get(key=key, actor=actor_of(request))
    return HttpResponse(bulk.file_of(export, number), content_type=NDJSON)


def _kick_off(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    only_get(request)
    actor = actor_of(request)
    if actor.kind is not ActorKind.CLIENT:
        raise FhirRefused(403, "forbidden", "批量导出只供接入系统使用 / only connected systems export")
    if not negotiation.preference(request).later:
        raise FhirRefused(400, "required", "请带 Prefer: respond-async / send Prefer: respond-async")
    types: tuple[str, ...] = ()
    since = None
    for name in request.GET:
        value = request.GET[name]
        if name == "_type":
            types = tuple(part for part in value.split(",") if part)
            unknown = set(types) - resource_types()
            if unknown:
                raise FhirRefused(400, "value", f"没有资源类型 {sorted(unknown)[0][:40]} / no such type")
        elif name == "_since":
            since = span("_since", value)[0]
        elif name != "_outputFormat" or value.replace(" ", "+") not in _FORMATS:
            raise FhirRefused(400, "not-supported", f"$export 不支持 {name}={value[:40]} / is not supported")
    for kind in types or ("*",):
        allow(request, kind, "r")
    chosen = Wanted(
        request=wanted.request,
        types=types,
        resident_ids=wanted.resident_ids,
        of_patients=wanted.of_patients,
        since=since,
    )
    export = bulk.start(chosen, actor=actor)
    return HttpResponse(status=202, headers={"Content-Location": f"{base_of(request)}bulk/{export.key}"})
