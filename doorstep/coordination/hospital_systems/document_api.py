"""Shared documents (WS/T 500, CDA R2) for machines: handed in with a token, read out as XML."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from doorstep.coordination.hospital_systems import faults
from doorstep.coordination.hospital_systems.cda.exporting import TYPES, XML_TYPES, as_sent, exported
from doorstep.kernel.access.actor import ActorKind
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.exchange.handing import Handed, hand_in
from doorstep.kernel.fhir import negotiation, systems
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, outcome
from doorstep.kernel.record import queries as records
from doorstep.kernel.record import stored
from doorstep.kernel.record.interactions import actor_of, base_of, only_get

# A document becomes these; it shows the person and the results when it is read.
_WRITTEN = ("DocumentReference", "Composition", "Observation")


@machine
def submit(request: HttpRequest) -> HttpResponse:
    """POST /fhir/DocumentReference/$cda: one document as it is; the answer says what became of it, also when it comes again."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "请以 POST 发送文档 / POST the document", headers={"Allow": "POST"})
    actor = actor_of(request)
    for type in _WRITTEN:
        allow(request, type, "c")
    actor.check(Permission.FHIR_WRITE)
    if actor.kind is not ActorKind.CLIENT:
        raise FhirRefused(403, "forbidden", "只有医院系统可以提交共享文档 / only hospital systems hand documents in")
    data = negotiation.unpacked(request)
    if not data:
        raise FhirRefused(400, "required", "没有内容 / the body is empty")
    if (request.content_type or "").lower() not in XML_TYPES:
        sentence = f"请以 {XML_TYPES[0]} 发送 CDA R2 文档 / send the document as {', '.join(XML_TYPES)}"
        raise FhirRefused(415, "not-supported", sentence)
    return _answered(request, hand_in(name="document.xml", data=data, actor=actor))


def _answered(request: HttpRequest, handed: Handed) -> HttpResponse:
    """201 in the record, 200 there already, 202 stored and waiting, 422 stored and wrong with place and cure."""
    message = handed.message
    headers = {"X-Message-Id": str(message.key)}
    if message.state == "applied":
        named = [f"{type}/{fhir_id}/_history/{version}" for type, fhir_id, version in message.results]
        place = next((one for one in named if one.startswith("DocumentReference/")), "")
        if place:
            headers["Location"] = f"{base_of(request)}{place}"
        notes = [str(faults.NOTES.get(code, code)) for code, _place in message.notes]
        said = "；".join([_("已入档"), *notes, *named])
        return answer(_said("informational", said), status=200 if handed.again else 201, headers=headers)
    if message.state in ("waiting", "failed"):
        told = faults.say(message.error_kind, message.error_place, message.error_facts)
        place = f"（{told.place}）" if told.place else ""
        waits = message.state == "waiting"
        body = _said(
            "informational" if waits else "processing",
            f"{told.title}{place}：{told.sentence}{told.cure}",
            severity="warning" if waits else "error",
            code=message.error_kind,
        )
        return answer(body, status=202 if waits else 422, headers=headers)
    return answer(_said("informational", _("已收下，稍后入档。")), status=202, headers=headers)


def _said(issue: str, sentence: str, *, severity: str = "information", code: str = "") -> dict[str, Any]:
    body = outcome(issue, sentence, severity=severity)
    if code:
        body["issue"][0]["details"] = {"coding": [{"system": systems.EXCHANGE_ERROR, "code": code}]}
    return body


@machine
def written(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/<type>/<id>/$cda: a Composition, report or outpatient visit as document; of a DocumentReference the one that was sent."""
    only_get(request)
    # The document of a visit names its diagnoses.
    for one in (type, "Patient", "Observation", *(("Condition",) if type == "Encounter" else ())):
        allow(request, one, "r")
    found = stored.fetch(type=type, fhir_id=fhir_id) if type in (*TYPES, "DocumentReference") else None
    if found is None or found.deleted:
        raise FhirRefused(
            404, "not-found", "没有这份文档，或不在贵院可查看范围 / no such document, or not yours to read"
        )
    actor = actor_of(request)
    if type == "DocumentReference":
        sent = as_sent(found.content())
        if sent is None:
            sentence = "这份资料不是共享文档，请按 attachment 读取 / no shared document: read its attachment"
            raise FhirRefused(404, "not-found", sentence)
        data = sent
        records.note_read(type=type, fhir_id=fhir_id, actor=actor, resident_id=found.resident_id)
    else:
        data = exported(found.content(), actor)
    response = HttpResponse(data, content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{fhir_id}.xml"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
