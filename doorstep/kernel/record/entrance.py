"""The address /fhir itself: Bundles of hospital systems."""

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.door import machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import bundles


@machine
def root(request: HttpRequest) -> HttpResponse:
    """POST /fhir: a batch or a transaction."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "这里只接收 POST 的 Bundle / POST a Bundle here")
    return answer(bundles.process(request, negotiation.body_of(request)))
