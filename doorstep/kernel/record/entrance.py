"""The address /fhir itself: Bundles of hospital systems, and searches of several types."""

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.door import machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import bundles, search_views


@machine
def root(request: HttpRequest) -> HttpResponse:
    """POST /fhir: a batch or a transaction. GET /fhir?_type=…: a search of several types."""
    if request.method in ("GET", "HEAD"):
        return search_views.answer_all(request)
    if request.method != "POST":
        raise FhirRefused(
            405,
            "not-supported",
            "这里只支持 GET 查询和 POST Bundle / GET to search, or POST a Bundle here",
            headers={"Allow": "GET, HEAD, POST"},
        )
    return answer(bundles.process(request, negotiation.body_of(request)))
