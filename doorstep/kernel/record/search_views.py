"""The search of a type by GET and by POST (hl7.org/fhir/R4/http.html#search)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir import exact, negotiation
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.outcome import answer as answered
from doorstep.kernel.fhir.parameters import parameters, types
from doorstep.kernel.record import search
from doorstep.kernel.record.asking import Question, Row, ask, asked
from doorstep.kernel.record.search_each import named_types

_FORM = "application/x-www-form-urlencoded"
# The compartments that are searched, each by the parameter that leads from a resource into it.
COMPARTMENTS = {"Patient": "patient", "Encounter": "encounter"}


# Parts of a compartment that are no part of the record, with who answers for them.
_elsewhere: dict[tuple[str, str], Callable[[HttpRequest, list[tuple[str, str]]], HttpResponse]] = {}


def install(answered: Mapping[tuple[str, str], Callable[[HttpRequest, list[tuple[str, str]]], HttpResponse]]) -> None:
    """Wire what of a compartment another app answers; the last ones count."""
    _elsewhere.clear()
    _elsewhere.update(answered)


def is_strict(request: HttpRequest) -> bool:
    """Whether what is not known is an error; it is, unless the client prefers lenience."""
    wishes = request.META.get("HTTP_PREFER", "").replace(";", ",").split(",")
    return "handling=lenient" not in (wish.strip().lower() for wish in wishes)


def answer_search(request: HttpRequest, type: str) -> HttpResponse:
    """Answer GET /fhir/<type>?… with one Bundle, built by the database; the caller is a machine view."""
    return _answer(request, type, pairs_of(request))


def answer_all(request: HttpRequest) -> HttpResponse:
    """Answer GET /fhir?_type=…: a search of several types at once, or of all; the caller is a machine view."""
    return _answer_all(request, pairs_of(request))


@machine
def all_by_post(request: HttpRequest) -> HttpResponse:
    """POST /fhir/_search: as GET /fhir?…, with the parameters in the body."""
    return _answer_all(request, posted(request))


@machine
def in_compartment(request: HttpRequest, type: str, fhir_id: str, inner: str) -> HttpResponse:
    """GET /fhir/Patient/<id>/<type>?…: the search of a type, or of all by "*", within what concerns one patient or encounter."""
    if request.method not in ("GET", "HEAD"):
        raise FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here", headers={"Allow": "GET, HEAD"})
    return _within(request, (type, fhir_id, inner), pairs_of(request))


@machine
def in_compartment_by_post(request: HttpRequest, type: str, fhir_id: str, inner: str) -> HttpResponse:
    """POST /fhir/Patient/<id>/<type>/_search: the same with the parameters in the body."""
    return _within(request, (type, fhir_id, inner), posted(request))


def _within(request: HttpRequest, place: tuple[str, str, str], pairs: list[tuple[str, str]]) -> HttpResponse:
    type, fhir_id, inner = place
    if (type, inner) in _elsewhere:
        return _elsewhere[type, inner](request, [*pairs, ("patient", f"{type}/{fhir_id}")])
    name = COMPARTMENTS.get(type)
    if name is not None and inner == "*":
        return _answer_all(request, [("_type", ",".join(_kinds_in(type))), *pairs, (name, f"{type}/{fhir_id}")])
    if name is None or inner not in types() or name not in parameters(inner):
        raise FhirRefused(404, "not-supported", f"没有地址 {type}/…/{inner[:40]} / there is no such compartment here")
    return _answer(request, inner, [*pairs, (name, f"{type}/{fhir_id}")])


def _kinds_in(compartment: str) -> list[str]:
    """The types that have a place in a compartment."""
    name = COMPARTMENTS[compartment]
    return [kind for kind in types() if name in parameters(kind) and compartment in parameters(kind)[name].targets]


def within_encounter(request: HttpRequest, fhir_id: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The first page of what belongs to an encounter, of the types of `_type` or of all; the caller is a machine view."""
    kinds = dict(pairs).get("_type", "").split(",") if "_type" in dict(pairs) else _kinds_in("Encounter")
    kinds = [kind for kind in kinds if kind in types() and kind in _kinds_in("Encounter")]
    if not kinds:
        return {"resourceType": "Bundle", "type": "searchset"}
    kept = [pair for pair in pairs if pair[0] != "_type"]
    told = _answer_all(request, [("_type", ",".join(kinds)), *kept, ("encounter", f"Encounter/{fhir_id}")])
    found: dict[str, Any] = exact.loads(told.content.decode())
    return found


@machine
def by_post(request: HttpRequest, type: str) -> HttpResponse:
    """POST /fhir/<type>/_search: parameters in the body, so that none of them stands in an address, and in the address."""
    return _answer(request, type, posted(request))


def posted(request: HttpRequest) -> list[tuple[str, str]]:
    """The parameters of a search by POST, in the body and in the address."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "此地址只支持 POST / only POST here", headers={"Allow": "POST"})
    if request.content_type != _FORM:
        raise FhirRefused(415, "not-supported", f"请用 {_FORM} 发送 / send {_FORM}")
    negotiation.check_accepted(request, request.POST.get("_format", ""))
    return [(name, value) for part in (request.GET, request.POST) for name, values in part.lists() for value in values]


def pairs_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The parameters of a search by GET."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _answer(request: HttpRequest, type: str, pairs: list[tuple[str, str]]) -> HttpResponse:
    allow(request, type, "s")
    found = search.prepare(type, pairs, base=request.build_absolute_uri("/fhir/"), strict=is_strict(request))
    return asked(_question(found), request)


def _answer_all(request: HttpRequest, pairs: list[tuple[str, str]]) -> HttpResponse:
    found = search.prepare("", pairs, base=request.build_absolute_uri("/fhir/"), strict=is_strict(request))
    for kind in [one.type for one in found.each or ()] if named_types(found.pairs) else ["*"]:
        allow(request, kind, "s")
    return asked(_question(found), request)


def at_once(request: HttpRequest, type: str, entering: Call) -> HttpResponse | None:
    """GET /fhir/<type>?… in the statement that enters; None for a search that the database must be asked to understand."""
    base = request.build_absolute_uri("/fhir/")
    try:
        found = search.prepare(type, pairs_of(request), base=base, strict=is_strict(request), expand=_not_expanded)
    except _Expanded:
        return None
    return ask(_question(found), request, entering=entering)


class _Expanded(Exception):
    """A search names codes that only the database knows."""


def _not_expanded(value: str, how: str) -> list[tuple[str, str]]:
    raise _Expanded


def _question(found: search.Prepared) -> Question:
    def answer(request: HttpRequest, row: Row | None) -> HttpResponse:
        return answered(found.bundle(row or search.NOTHING))

    return Question(Call("record_searched", found.arguments), answer, search.refusal_of)
