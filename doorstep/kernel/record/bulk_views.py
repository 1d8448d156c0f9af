"""Kick-off, state, files and end of a bulk export."""

import re
import uuid
from dataclasses import replace
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import http_date

from doorstep.kernel.access.actor import ActorKind
from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.moments import span
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import bulk, groups, search, stored
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.bulk import Wanted
from doorstep.kernel.record.interactions import actor_of, base_of, only_get
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.search_views import is_strict
from doorstep.kernel.record.stored import Stored
from doorstep.kernel.record.writing import ABSENT

NDJSON = "application/fhir+ndjson"
_FORMATS = {NDJSON, "application/ndjson", "ndjson"}
_TYPE_FILTER = re.compile(r"^(?P<type>[A-Z][A-Za-z]+)\?(?P<search>.*)$")
# What shapes a page of results has no meaning in a file.
_SHAPING = {"_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude"}


@machine
def of_server(request: HttpRequest) -> HttpResponse:
    """GET /fhir/$export: everything that the hospital may read."""
    return _kick_off(request, Wanted(request=request.build_absolute_uri()))


def of_patients(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/Patient/$export: what concerns residents."""
    return _kick_off(request, Wanted(request=request.build_absolute_uri(), of_patients=True))


def of_group(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/Group/<id>/$export: what concerns its members.

    The token covers the types that are exported; the Group itself is not among them, only the wall guards it.
    """
    group = stored.fetch(type="Group", fhir_id=fhir_id)
    if group is None or group.deleted:
        raise FhirRefused(404, "not-found", ABSENT)
    return _kick_off(request, Wanted(request=request.build_absolute_uri(), resident_ids=_members(group)))


def _members(group: Stored) -> tuple[int, ...]:
    """The residents of a Group: of ours as they are now, of one that was sent those whom it names."""
    if groups.is_ours(group):
        return tuple(number for _, number in groups.members(group.fhir_id) or ())
    patients = Patients()
    found = [
        patients.behind(str((member.get("entity") or {}).get("reference", "")))
        for member in group.content().get("member", [])
        if not member.get("inactive")
    ]
    return tuple(one.resident_id for one in found if one is not None)


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
    if export.failure:
        raise FhirRefused(422, "too-costly", export.failure)
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
    return JsonResponse(manifest, headers={"Expires": http_date(bulk.expires_at(export).timestamp())})


@machine
def file(request: HttpRequest, key: uuid.UUID, number: int) -> HttpResponse:
    """One NDJSON file, for a token that reads its type."""
    only_get(request)
    export = bulk.get(key=key, actor=actor_of(request))
    kind, body = bulk.file_of(export, number)
    allow(request, kind, "r")
    return HttpResponse(body, content_type=NDJSON)


def _kick_off(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    if request.method != "POST":
        only_get(request)
    actor = actor_of(request)
    if actor.kind is not ActorKind.CLIENT:
        raise FhirRefused(403, "forbidden", "批量导出只供接入系统使用 / only connected systems export")
    if not negotiation.preference(request).later:
        raise FhirRefused(400, "required", "请带 Prefer: respond-async / send Prefer: respond-async")
    chosen = _narrowed(request, wanted)
    for kind in chosen.types or ("*",):
        allow(request, kind, "r")
    export = bulk.start(chosen, actor=actor)
    return HttpResponse(status=202, headers={"Content-Location": f"{base_of(request)}bulk/{export.key}"})


def _narrowed(request: HttpRequest, wanted: Wanted) -> Wanted:
    """What the parameters leave of an export; raises FhirRefused (400) for one that is not known, unless under lenience."""
    for name, value in _pairs(request):
        if name == "_type":
            wanted = replace(wanted, types=(*wanted.types, *(part for part in value.split(",") if part)))
        elif name == "_typeFilter":
            wanted = replace(wanted, filters=_filters(value, wanted.filters))
        elif name == "_since":
            wanted = replace(wanted, since=span("_since", value)[0])
        elif name == "_outputFormat" and value.replace(" ", "+") in _FORMATS:
            continue
        elif name == "_outputFormat" or is_strict(request):
            raise FhirRefused(400, "not-supported", f"$export 不支持 {name}={value[:40]} / is not supported")
    unknown = set(wanted.types) - resource_types()
    if unknown:
        raise FhirRefused(400, "value", f"没有资源类型 {sorted(unknown)[0][:40]} / no such type")
    outside = set(wanted.filters) - set(wanted.types or resource_types())
    if outside:
        raise FhirRefused(400, "value", f"_typeFilter 的 {sorted(outside)[0][:40]} 不在 _type 中 / is not in _type")
    return wanted


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The parameters in the address, and in the Parameters that a POST may bring."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    if request.method != "POST" or not request.body:
        return pairs
    body = negotiation.body_of(request)
    parts = body.get("parameter", []) if isinstance(body, dict) else None
    if not isinstance(parts, list) or body.get("resourceType") != "Parameters":
        raise FhirRefused(400, "structure", "请发送 Parameters / send Parameters", "Parameters")
    for part in parts:
        values = [value for name, value in part.items() if name.startswith("value")] if isinstance(part, dict) else []
        if len(values) != 1 or not isinstance(values[0], str):
            raise FhirRefused(
                400, "value", "Parameters.parameter 应为名称和一个文字值 / a name and one text each", "Parameters"
            )
        pairs.append((str(part.get("name")), values[0]))
    return pairs


def _filters(text: str, before: dict[str, list[str]]) -> dict[str, list[str]]:
    """Searches by type, in a list with commas; a comma inside a value may stand there as it is, or written as %2C."""
    found = {kind: list(searches) for kind, searches in before.items()}
    kind = ""
    for part in text.split(","):
        begun = _TYPE_FILTER.match(part)
        if begun:
            kind = begun["type"]
            found.setdefault(kind, []).append(begun["search"])
        elif kind:
            found[kind][-1] += f",{part}"
        else:
            raise FhirRefused(400, "value", "_typeFilter 应为 类型?条件 / _typeFilter must be Type?search")
    for kind, searches in found.items():
        if kind not in resource_types():
            raise FhirRefused(400, "value", f"没有资源类型 {kind[:40]} / no such type")
        for one in searches:
            pairs = parse_qsl(one, keep_blank_values=True)
            shaping = [name for name, _ in pairs if name.partition(":")[0] in _SHAPING]
            if shaping:
                raise FhirRefused(400, "not-supported", f"_typeFilter 不支持 {shaping[0]} / does not take {shaping[0]}")
            search.check(kind, pairs)
    return found
