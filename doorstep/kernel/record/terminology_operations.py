"""$lookup, $validate-code, $expand and $translate (hl7.org/fhir/R4/terminology-service.html).

They know the code systems that were imported, R4's own value sets of required bindings, and what hospitals sent as CodeSystem,
ValueSet and ConceptMap.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from doorstep.kernel.fhir import elements, exact, negotiation, validation
from doorstep.kernel.fhir.definitions import required_codes
from doorstep.kernel.fhir.door import allow
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import stored
from doorstep.kernel.terminology import queries as terminology

Json = dict[str, Any]
_MOST = 1_000


def lookup(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """CodeSystem/$lookup?system=&code=: the concept's display."""
    given = _given(request)
    coding = _coding(given)
    display = _display(*coding)
    if display is None:
        raise FhirRefused(404, "not-found", f"没有代码 {coding[0]}|{coding[1]} / no such code")
    return answer(_parameters(("name", "String", coding[0]), ("display", "String", display)))


def validate_code(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """CodeSystem or ValueSet $validate-code: whether the code is one of it."""
    allow(request, type, "r")
    given = _given(request)
    if type == "CodeSystem":
        system, code = str(given.get("url") or _coding(given)[0]), _coding({"system": given.get("url"), **given})[1]
        display = _display(system, code)
        found = display is not None
    else:
        system, code = _coding(given, system_needed=False)
        listed = _expansion(_value_set(given, fhir_id))
        hits = [one for one in listed if one["code"] == code and (not system or one["system"] == system)]
        found, display = bool(hits), hits[0].get("display") if hits else None
    parts: list[tuple[str, str, Any]] = [("result", "Boolean", found)]
    if not found:
        parts.append(("message", "String", f"{code} 不在其中 / is not one of it"))
    elif display:
        parts.append(("display", "String", display))
    return answer(_parameters(*parts))


def expand(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """ValueSet/$expand: its codes, filtered by text, in pages by offset and count."""
    allow(request, type, "r")
    given = _given(request)
    value_set = _value_set(given, fhir_id)
    words = str(given.get("filter") or "").lower()
    codes = [
        one
        for one in _expansion(value_set)
        if not words or words in one["code"].lower() or words in str(one.get("display", "")).lower()
    ]
    offset, count = _whole(given, "offset", 0), min(_whole(given, "count", _MOST), _MOST)
    expansion = {
        "timestamp": elements.instant(timezone.now()),
        "total": len(codes),
        "offset": offset,
        "contains": codes[offset : offset + count],
    }
    named = {"url": value_set["url"]} if value_set["url"] else {}
    return answer({"resourceType": "ValueSet", "status": "active", **named, "expansion": expansion})


def translate(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """ConceptMap/$translate: what a code is called elsewhere."""
    allow(request, type, "r")
    given = _given(request)
    system, code = _coding(given)
    matches = []
    for concept_map in _maps(given, fhir_id):
        for group in concept_map.get("group", []):
            if group.get("source", system) != system:
                continue
            for element in group.get("element", []):
                if element.get("code") == code:
                    matches += [_match(group, target) for target in element.get("target", []) if "code" in target]
    found = _parameters(("result", "Boolean", bool(matches)))
    found["parameter"] += matches
    return answer(found)


def _given(request: HttpRequest) -> Json:
    """The operation's parameters, of the address or of a Parameters body."""
    given: Json = {name: request.GET[name] for name in request.GET}
    if request.method == "POST":
        body = negotiation.body_of(request)
        parts = body.get("parameter") if isinstance(body, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and isinstance(part.get("name"), str):
                value = next((value for key, value in part.items() if key.startswith("value")), part.get("resource"))
                given[part["name"]] = value
    return given


def _coding(given: Json, *, system_needed: bool = True) -> tuple[str, str]:
    concept = given.get("codeableConcept")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    coding = given.get("coding") or (next(iter(codings), None) if isinstance(codings, list) else None)
    if isinstance(coding, dict):
        system, code = coding.get("system", ""), coding.get("code", "")
    else:
        system, code = given.get("system") or "", given.get("code") or ""
    if not isinstance(system, str) or not isinstance(code, str) or not code or (system_needed and not system):
        raise FhirRefused(400, "required", "需要 system 和 code / system and code are needed")
    return system, code


def _whole(given: Json, name: str, custom: int) -> int:
    text = str(given.get(name, custom))
    if not text.isdecimal() or len(text) > 9:
        raise FhirRefused(400, "value", f"{name} 应为整数 / must be a whole number")
    return int(text)


def _display(system: str, code: str) -> str | None:
    imported = terminology.lookup(system=system, codes=[code]).get(code)
    if imported is not None:
        return imported.zh or imported.en
    for content in _of_url("CodeSystem", system):
        for concept in _concepts(content.get("concept", [])):
            if concept.get("code") == code:
                return str(concept.get("display") or code)
    known = (codes for systems in required_codes().values() for name, codes in systems.items() if name == system)
    return code if any(code in codes for codes in known) else None


def _value_set(given: Json, fhir_id: str) -> Json:
    if fhir_id:
        found = stored.fetch(type="ValueSet", fhir_id=fhir_id)
        if found is not None and not found.deleted:
            return {"url": "", **found.content()}
    elif isinstance(given.get("valueSet"), dict):
        return {"url": "", **_valid(given["valueSet"])}
    url = str(given.get("url") or "").partition("|")[0]
    if not url:
        raise FhirRefused(400, "required", "需要 url 或 valueSet / url or valueSet is needed")
    sent = next(iter(_of_url("ValueSet", url)), None)
    if sent is not None:
        return sent
    systems = required_codes().get(url)
    if systems is None:
        raise FhirRefused(404, "not-found", f"没有值集 {url[:120]} / there is no such value set")
    include = [{"system": name, "concept": [{"code": one} for one in sorted(codes)]} for name, codes in systems.items()]
    return {"url": url, "compose": {"include": include}}


def _valid(sent: Json) -> Json:
    """A value set that came along with the question; raises FhirRefused (422) with the first place that is wrong."""
    for one in validation.problems({**sent, "resourceType": "ValueSet"}):
        raise FhirRefused(422, one.code, one.sentence, one.path)
    return sent


def _expansion(value_set: Json) -> list[Json]:
    found: list[Json] = []
    compose = value_set.get("compose") or {}
    for part in compose.get("include", []):
        if part.get("filter") or part.get("valueSet"):
            raise FhirRefused(
                422, "not-supported", "不展开带过滤或引用的值集 / filters and imported value sets are not expanded"
            )
        found += _listed(part)
    without = {(one["system"], one["code"]) for part in compose.get("exclude", []) for one in _listed(part)}
    return [one for one in found if (one["system"], one["code"]) not in without]


def _listed(part: Json) -> list[Json]:
    system = str(part.get("system", ""))
    concepts: Iterable[Json] = part.get("concept") or [
        concept for content in _of_url("CodeSystem", system) for concept in _concepts(content.get("concept", []))
    ]
    return [
        {"system": system, "code": one["code"], **({"display": one["display"]} if one.get("display") else {})}
        for one in concepts
    ]


def _concepts(concepts: list[Json]) -> Iterator[Json]:
    for concept in concepts:
        yield concept
        yield from _concepts(concept.get("concept", []))


def _of_url(type: str, url: str) -> list[Json]:
    """What hospitals sent under a canonical address, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT content::text FROM record_resource WHERE type = %s AND content ->> 'url' = %s AND NOT deleted"
            " ORDER BY id DESC LIMIT 5",
            [type, url],
        )
        return [exact.loads(text) for (text,) in cursor.fetchall()]


def _maps(given: Json, fhir_id: str) -> list[Json]:
    if fhir_id:
        found = stored.fetch(type="ConceptMap", fhir_id=fhir_id)
        if found is not None and not found.deleted:
            return [found.content()]
    elif given.get("url"):
        return _of_url("ConceptMap", str(given["url"]))
    raise FhirRefused(404, "not-found", "没有这个 ConceptMap / there is no such ConceptMap")


def _match(group: Json, target: Json) -> Json:
    coding = {"system": group.get("target", ""), "code": target["code"]}
    return {
        "name": "match",
        "part": [
            {"name": "equivalence", "valueCode": target.get("equivalence", "equivalent")},
            {"name": "concept", "valueCoding": {name: value for name, value in coding.items() if value}},
        ],
    }


def _parameters(*parts: tuple[str, str, Any]) -> Json:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, f"value{kind}": value} for name, kind, value in parts],
    }
