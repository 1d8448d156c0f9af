"""FHIR R4 over REST: read, vread, search, transaction, metadata."""

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.door import machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import capability, queries, reception
from doorstep.kernel.record.search import PARAMETERS, Search, parse

_PLACES = 10 * 1024 * 1024


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """GET /fhir/metadata: open to all, it names no one."""
    return answer(capability.statement(_base(request)))


@machine
def root(request: HttpRequest) -> HttpResponse:
    """POST /fhir: a transaction Bundle of a hospital system."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "这里只接收 POST 的 Bundle / POST a Bundle here")
    if len(request.body) > _PLACES:
        raise FhirRefused(413, "too-long", "Bundle 超过 10 MB，请分批发送 / the Bundle is over 10 MB: send it in parts")
    try:
        bundle = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise FhirRefused(400, "structure", f"不是合法的 JSON：{error} / not valid JSON") from error
    if not isinstance(bundle, dict):
        raise FhirRefused(400, "structure", "请发送一个 Bundle 对象 / send one Bundle object")
    stored = reception.receive(bundle, actor=request.actor)  # type: ignore[attr-defined]
    entries = [
        {
            "response": {
                "status": "201 Created" if version == 1 else "200 OK",
                "location": f"{kind}/{key}/_history/{version}",
                "etag": f'W/"{version}"',
            }
        }
        for kind, key, version in stored
    ]
    return answer({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


@machine
def search(request: HttpRequest, type: str) -> HttpResponse:
    """GET /fhir/<type>?…: one Bundle, built by the database."""
    _only_get(request)
    parsed = parse(type, [(name, value) for name, values in request.GET.lists() for value in values])
    text, _total = queries.search_bundle(
        type=type,
        clauses=parsed.clauses,
        values=parsed.values,
        base=_base(request),
        limit=parsed.count,
        offset=parsed.offset,
    )
    _note_search(request, parsed)
    return answer(text)


@machine
def read(request: HttpRequest, type: str, fhir_id: str, version: str = "") -> HttpResponse:
    """GET /fhir/<type>/<id> and its versions; not there and not yours answer alike."""
    _only_get(request)
    if type not in PARAMETERS:
        raise FhirRefused(404, "not-supported", f"没有资源类型 {type} / there is no resource type {type} here")
    number = int(version) if version.isdigit() and len(version) < 9 else None
    found = None if version and number is None else queries.read(type=type, fhir_id=fhir_id, version=number)
    if found is None:
        raise FhirRefused(404, "not-found", "没有这个资源，或不在贵院可读范围 / no such resource, or not yours to read")
    queries.note_read(type=type, fhir_id=fhir_id, actor=request.actor)  # type: ignore[attr-defined]
    etag = f'W/"{found["meta"]["versionId"]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    return answer(found, headers={"ETag": etag})


def _note_search(request: HttpRequest, parsed: Search) -> None:
    audit.record(
        action="fhir.search",
        actor=request.actor,  # type: ignore[attr-defined]
        subject=parsed.type,
        resident_id=queries.resident_of(fhir_id=parsed.patient) if parsed.patient else None,
        # Values of a search may name a person: the trail keeps only which parameters were asked.
        details={"parameters": sorted(request.GET)},
    )


def _only_get(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here")


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir/")
