"""FHIR R4 over REST: metadata. Single resources are in interactions.py, searches in search_views.py."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorstep.kernel.fhir.door import machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, refusal
from doorstep.kernel.record import capability


@csrf_exempt
def metadata(request: HttpRequest) -> HttpResponse:
    """GET /fhir/metadata: open to all, it names no one."""
    if request.method not in ("GET", "HEAD"):
        return refusal(FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here", headers={"Allow": "GET"}))
    return answer(capability.statement(_base(request)))


@machine
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """An address under /fhir that is none of R4's: said in the form that machines read."""
    raise FhirRefused(404, "not-found", f"没有地址 /fhir/{rest[:60]} / there is no such address")


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir/")
