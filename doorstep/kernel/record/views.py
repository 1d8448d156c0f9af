"""FHIR R4 over REST: metadata, Bundles, search. Single resources are in interactions.py."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.door import allow
from doorstep.kernel.fhir.outcome import answer
from doorstep.kernel.record import capability, queries
from doorstep.kernel.record.search import Search, parse


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """GET /fhir/metadata: open to all, it names no one."""
    return answer(capability.statement(_base(request)))


def answer_search(request: HttpRequest, type: str) -> HttpResponse:
    """GET /fhir/<type>?…: one Bundle, built by the database."""
    allow(request, type, "s")
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


def _note_search(request: HttpRequest, parsed: Search) -> None:
    audit.record(
        action="fhir.search",
        actor=request.actor,  # type: ignore[attr-defined]
        subject=parsed.type,
        resident_id=queries.resident_of(fhir_id=parsed.patient) if parsed.patient else None,
        # Values of a search may name a person: the trail keeps only which parameters were asked.
        details={"parameters": sorted(request.GET)},
    )


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir/")
