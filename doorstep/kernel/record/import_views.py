"""Kick-off, state, error files and end of a bulk import (github.com/smart-on-fhir/bulk-import).

The house fetches nothing from addresses that others name: the lines come with the request, or lie in Binaries that the same hospital
system sent before.
"""

import base64
import binascii
import uuid
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse

from doorstep.kernel.access.actor import ActorKind
from doorstep.kernel.fhir import exact, negotiation
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import importing, stored
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.bulk_views import NDJSON
from doorstep.kernel.record.importing import Import, Input
from doorstep.kernel.record.interactions import actor_of, base_of, only_get
from doorstep.kernel.record.references import key_of
from doorstep.kernel.record.search_views import is_strict
from doorstep.kernel.record.writing import ABSENT

_NDJSON = (NDJSON, "application/ndjson", "application/x-ndjson")
_KNOWN = {"inputFormat", "inputSource", "storageDetail", "input"}
_MANIFEST = "manifest"
# By what a manifest names a part of its own request (RFC 2392).
_PART = "cid:"


@machine
def take_in(request: HttpRequest) -> HttpResponse:
    """POST /fhir/$import: NDJSON as the body, or a manifest whose inputs are parts of the request or Binaries."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "请以 POST 发送 / POST it", headers={"Allow": "POST"})
    actor = actor_of(request)
    if actor.kind is not ActorKind.CLIENT:
        raise FhirRefused(403, "forbidden", "批量导入只供接入系统使用 / only connected systems import")
    if not negotiation.preference(request).later:
        raise FhirRefused(400, "required", "请带 Prefer: respond-async / send Prefer: respond-async")
    inputs = list(_inputs(request))
    if not any(one.body.strip() for one in inputs):
        raise FhirRefused(400, "required", "没有要导入的行 / there is no line to import")
    for one in inputs:
        for verb in "cu":
            allow(request, one.type or "*", verb)
    base = base_of(request)
    load = importing.start(inputs, request=request.build_absolute_uri(), base=base, actor=actor)
    return HttpResponse(status=202, headers={"Content-Location": f"{base}import/{load.key}"})


@machine
def state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The manifest when it is done, 202 before; DELETE ends it, what is written stays."""
    actor = actor_of(request)
    load = importing.get(key=key, actor=actor)
    if request.method == "DELETE":
        importing.cancel(load, actor=actor)
        return HttpResponse(status=202)
    only_get(request)
    tally = importing.tally(load)
    if load.finished_at is None:
        progress = f"{tally.lines} lines, {tally.refused} refused, {tally.waiting} waiting"
        return HttpResponse(status=202, headers={"X-Progress": progress, "Retry-After": "2"})
    counts = {"lines": tally.lines, "created": tally.created, "updated": tally.updated}
    return JsonResponse(
        {
            "transactionTime": stamp(load.requested_at),
            "request": load.request,
            "requiresAccessToken": True,
            "output": [],
            "error": _errors(load, base_of(request)),
            "extension": {"counts": {**counts, "unchanged": tally.unchanged, "refused": tally.refused}},
        }
    )


@machine
def file(request: HttpRequest, key: uuid.UUID, number: int) -> HttpResponse:
    """The refused lines of one input, as NDJSON of OperationOutcomes that name line and place."""
    only_get(request)
    load = importing.get(key=key, actor=actor_of(request))
    lines = list(importing.refused_lines(load, number - 1))
    if not lines:
        raise FhirRefused(404, "not-found", ABSENT)
    return HttpResponse("\n".join(lines) + "\n", content_type=NDJSON)


def _errors(load: Import, base: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "OperationOutcome",
            "url": f"{base}import/{load.key}/{number + 1}",
            "count": count,
            "inputUrl": load.inputs[number]["url"],
        }
        for number, count in importing.refused_by_input(load).items()
    ]


def _inputs(request: HttpRequest) -> Iterator[Input]:
    kind = (request.content_type or "").lower()
    if kind in _NDJSON:
        yield Input(url="", type="", body=negotiation.unpacked(request))
        return
    parts: dict[str, bytes] = {}
    if kind == "multipart/form-data":
        parts = _parts(request)
        if _MANIFEST not in parts:
            raise FhirRefused(400, "required", "缺少 manifest 部分 / the part manifest is missing")
        manifest = exact.loads(parts.pop(_MANIFEST))
    else:
        manifest = negotiation.body_of(request)
    for number, (type, url) in enumerate(_manifest(request, manifest)):
        place = f"Parameters.input[{number}]"
        if type and type not in resource_types():
            raise FhirRefused(400, "value", f"没有资源类型 {type[:40]} / no such type", f"{place}.type")
        yield Input(url=url, type=type, body=_body(request, url, parts, f"{place}.url"))


def _parts(request: HttpRequest) -> dict[str, bytes]:
    """The parts of a multipart request by name, within the measure of every body."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > negotiation.LARGEST_BODY:
        raise FhirRefused(413, "too-long", "内容超过 20 MB，请分批发送 / over 20 MB: send it in parts")
    fields = {name: str(value).encode() for name, value in request.POST.items()}
    return fields | {name: upload.read() for name, upload in request.FILES.items() if isinstance(upload, UploadedFile)}


def _manifest(request: HttpRequest, manifest: Any) -> Iterator[tuple[str, str]]:
    """Type and address of each input, of a JSON manifest or of the same as Parameters."""
    if not isinstance(manifest, dict):
        raise FhirRefused(400, "structure", "请发送清单 / send a manifest", "Parameters")
    if manifest.get("resourceType") == "Parameters":
        manifest = _plain(manifest)
    unknown = sorted(set(manifest) - _KNOWN)
    if unknown and is_strict(request):
        raise FhirRefused(400, "not-supported", f"$import 不支持 {unknown[0][:40]} / is not supported", "Parameters")
    if manifest.get("inputFormat", NDJSON) not in _NDJSON:
        raise FhirRefused(
            400, "not-supported", "inputFormat 只支持 application/fhir+ndjson / only NDJSON", "Parameters"
        )
    inputs = manifest.get("input")
    if not isinstance(inputs, list) or not inputs:
        raise FhirRefused(400, "required", "清单中没有 input / the manifest has no input", "Parameters.input")
    for number, one in enumerate(inputs):
        type, url = (one.get("type", ""), one.get("url")) if isinstance(one, dict) else ("", None)
        if not isinstance(url, str) or not isinstance(type, str):
            raise FhirRefused(400, "required", "input 应有 type 和 url / type and url", f"Parameters.input[{number}]")
        yield type, url


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    """A manifest in Parameters as plain JSON; what is not well formed is left out and missed later."""
    found: dict[str, Any] = {"input": []}
    parts = parameters.get("parameter")
    for one in parts if isinstance(parts, list) else []:
        if not isinstance(one, dict):
            continue
        name, inner = str(one.get("name")), one.get("part")
        if name == "input" and isinstance(inner, list):
            found["input"].append({str(part.get("name")): _value(part) for part in inner if isinstance(part, dict)})
        elif name != "input":
            found[name] = _value(one)
    return found


def _value(part: dict[str, Any]) -> Any:
    return next((value for name, value in part.items() if name.startswith("value")), None)


def _body(request: HttpRequest, url: str, parts: dict[str, bytes], place: str) -> bytes:
    if url.startswith(_PART):
        if url.removeprefix(_PART) not in parts:
            raise FhirRefused(400, "not-found", f"请求中没有 {url[:80]} 这一部分 / the request has no such part", place)
        return parts[url.removeprefix(_PART)]
    key = key_of(url, base_of(request))
    if key is None or key[0] != "Binary":
        raise FhirRefused(
            400,
            "not-supported",
            f"本平台不从外部地址取文件：{url[:80]}。请把文件作为请求的一部分（cid:名称）或先存为 Binary"
            " / nothing is fetched from elsewhere: send it as a part of the request (cid:name) or as a Binary",
            place,
        )
    allow(request, "Binary", "r")
    found = stored.looked_at(type="Binary", fhir_id=key[1], actor=actor_of(request))
    if found is None or found.deleted:
        raise FhirRefused(404, "not-found", ABSENT, place)
    try:
        return base64.b64decode(str(found.content().get("data", "")), validate=True)
    except binascii.Error as error:
        raise FhirRefused(422, "value", "Binary.data 不是 base64 / is not base64", place) from error
