"""FHIR R4 over REST: metadata. Single resources are in interactions.py, searches in search_views.py."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.fhir.outcome import answer
from doorstep.kernel.record import capability


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """GET /fhir/metadata: open to all, it names no one."""
    return answer(capability.statement(_base(request)))


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir/")
