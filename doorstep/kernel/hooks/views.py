"""The two addresses of CDS Hooks: which services there are, and a call of one."""

import uuid
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir.door import allow_all, machine
from doorstep.kernel.fhir.outcome import FhirRefused, refusal
from doorstep.kernel.hooks import registry
from doorstep.kernel.hooks.registry import Asked
from doorstep.kernel.record import queries as records
from doorstep.kernel.record.patients import Patients

LARGEST = 1024 * 1024


@csrf_exempt
def discovery(request: HttpRequest) -> HttpResponse:
    """GET /cds-services: open to all, it names no one; pages of other systems may ask too."""
    if request.method not in ("GET", "HEAD"):
        return refusal(FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here", headers={"Allow": "GET"}))
    body = {"services": [one.to_json() for one in registry.services()]}
    response = HttpResponse(orjson.dumps(body), content_type="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@machine
def call(request: HttpRequest, service_id: str) -> HttpResponse:
    """POST /cds-services/<id>: the cards for a patient; a patient who is not there or not the caller's has none."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "请用 POST 调用 / call it with POST", headers={"Allow": "POST"})
    service = registry.find(service_id)
    if service is None:
        raise FhirRefused(404, "not-found", f"没有服务 {service_id} / there is no service {service_id}")
    allow_all(request, service.needs)
    body = _body(request)
    if body.get("hook") != service.hook:
        raise FhirRefused(400, "invalid", f"hook 应为 {service.hook} / hook must be {service.hook}", "hook")
    context = body.get("context")
    patient_id = context.get("patientId") if isinstance(context, dict) else None
    if not isinstance(context, dict) or not isinstance(patient_id, str) or not patient_id:
        raise FhirRefused(400, "required", "缺少 context.patientId / context.patientId is missing", "context.patientId")
    if service.hook != "patient-view":
        _check_orders(context, service.hook)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    patient_id = patient_id.removeprefix("Patient/")
    patient = Patients().behind(f"Patient/{patient_id}")
    cards: list[dict[str, Any]] = []
    if patient is not None:
        prefetch = body.get("prefetch")
        asked = Asked(
            resident_id=patient.resident_id,
            patient_id=patient.fhir_id,
            hook=service.hook,
            context=context,
            prefetch=prefetch if isinstance(prefetch, dict) else {},
        )
        cards = [
            one.to_json(str(uuid.uuid4()), absolute=request.build_absolute_uri) for one in service.answer(asked, actor)
        ]
        records.note_look(
            resident_id=patient.resident_id, actor=actor, subject=f"cds/{service.id}", action=f"cds.{service.hook}"
        )
    return HttpResponse(orjson.dumps({"cards": cards}), content_type="application/json")


def _check_orders(context: dict[str, Any], hook: str) -> None:
    """Drafts that cannot be read must not sound like drafts of which nothing is to be said: raises FhirRefused (400)."""
    drafts = context.get("draftOrders")
    if not isinstance(drafts, dict) or not isinstance(drafts.get("entry", []), list):
        words = "缺少 context.draftOrders（Bundle） / context.draftOrders must be a Bundle"
        raise FhirRefused(400, "required", words, "context.draftOrders")
    chosen = context.get("selections")
    if hook == "order-select" and not (isinstance(chosen, list) and all(isinstance(one, str) for one in chosen)):
        words = "缺少 context.selections（所选申请的列表） / context.selections must list what was chosen"
        raise FhirRefused(400, "required", words, "context.selections")


def _body(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > LARGEST:
        raise FhirRefused(413, "too-long", "请求超过 1 MB / the request is over 1 MB")
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise FhirRefused(400, "structure", "不是合法的 JSON / not valid JSON") from error
    if not isinstance(body, dict) or not _is_key(body.get("hookInstance")):
        raise FhirRefused(400, "required", "缺少 hookInstance（UUID） / hookInstance must be a UUID", "hookInstance")
    return body


def _is_key(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True
