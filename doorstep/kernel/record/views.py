"""FHIR R4 over REST: metadata. Single resources are in interactions.py, searches in search_views.py."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.door import machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, refusal
from doorstep.kernel.record import capability


@csrf_exempt
def metadata(request: HttpRequest) -> HttpResponse:
    """GET /fhir/metadata: open to all, it names no one."""
    if request.method not in ("GET", "HEAD"):
        headers = {"Allow": "GET, HEAD"}
        return refusal(FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here", headers=headers))
    try:
        negotiation.check_accepted(request)
        response = answer(_stated(request))
    except FhirRefused as error:
        response = refusal(error)
    return negotiation.finished(request, response)


def _stated(request: HttpRequest) -> dict[str, Any]:
    """The CapabilityStatement, or what of terminology is offered when `mode` asks for that."""
    mode = request.GET.get("mode", "full")
    if mode not in ("full", "normative", "terminology"):
        raise FhirRefused(400, "value", "mode 应为 full、normative 或 terminology / is no mode")
    return capability.terminology(_base(request)) if mode == "terminology" else capability.statement(_base(request))


@machine
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """An address under /fhir that is none of R4's: said in the form that machines read."""
    raise FhirRefused(404, "not-found", f"没有地址 /fhir/{rest[:60]} / there is no such address")


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir/")
