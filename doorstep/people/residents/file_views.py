"""A file that an entry of the record names, for those who read it in a browser."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.access.permissions import Permission as Access
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import binaries
from doorstep.people.residents.views import actor_of


@require_GET
def file(request: HttpRequest, key: str) -> HttpResponse:
    """What `Binary/<key>` holds: shown when nothing in it can run, else handed over; the look is audited."""
    actor = actor_of(request)
    actor.check(Access.RECORD_VIEW)
    try:
        held = binaries.find(key, actor=actor, site=request.build_absolute_uri("/"))
    except FhirRefused as refused:
        raise NotFound() from refused
    if held is None:
        raise NotFound()
    return binaries.on_page(held)
