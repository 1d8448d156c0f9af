"""$translate: what a code is called elsewhere, by the ConceptMaps that hospitals sent (hl7.org/fhir/R4/conceptmap-operation-translate.html)."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.fhir.door import allow
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import code_systems, stored
from doorstep.kernel.record.terminology_asking import codings, given, parameters, text, truth

Json = dict[str, Any]
# These say that there is no such code elsewhere.
_NONE = frozenset({"unmatched", "disjoint"})
# The other way round a wider code is a narrower one (hl7.org/fhir/R4/valueset-concept-map-equivalence.html).
_TURNED = {
    "wider": "narrower",
    "narrower": "wider",
    "subsumes": "specializes",
    "specializes": "subsumes",
}


def translate(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """ConceptMap/$translate: by code, coding or codeableConcept; `targetsystem` narrows, `reverse` asks the other way round."""
    allow(request, type, "r")
    asked = given(
        request, "url", "conceptMapVersion", "code", "system", "version", "source", "coding", "codeableConcept", "target",
        "targetsystem", "reverse",
    )  # fmt: skip
    wanted, reverse = text(asked, "targetsystem"), truth(asked, "reverse")
    matches = [
        _match(found, equivalence, content)
        for content in _maps(asked, fhir_id)
        for system, code, _ in codings(asked)
        for found, equivalence in (_backward if reverse else _forward)(content, system, code)
        if not wanted or found["system"] == wanted
    ]
    good = [one for one in matches if one["part"][0]["valueCode"] not in _NONE]
    told = parameters([("result", "Boolean", bool(good))])
    if not good:
        told["parameter"].append({"name": "message", "valueString": "没有对应的代码 / there is no code for it"})
    told["parameter"] += matches
    return answer(told)


def _forward(content: Json, system: str, code: str) -> Iterator[tuple[Json, str]]:
    for group in content.get("group", []):
        if system and group.get("source", system) != system:
            continue
        fitting = [one for one in group.get("element", []) if one.get("code") == code]
        for target in (target for one in fitting for target in one.get("target", [])):
            yield _target(group, target), str(target.get("equivalence", "equivalent"))
        if not fitting:
            yield from _unmapped(group, system, code)


def _unmapped(group: Json, system: str, code: str) -> Iterator[tuple[Json, str]]:
    """What a map says of codes that it does not list."""
    unmapped = group.get("unmapped", {})
    if unmapped.get("mode") == "provided":
        yield {"system": group.get("target", ""), "code": code}, "equal"
    elif unmapped.get("mode") == "fixed":
        yield _target(group, unmapped), "inexact"
    elif unmapped.get("mode") == "other-map":
        for other in code_systems.sent("ConceptMap", str(unmapped.get("url", "")))[:1]:
            # One step: maps that name each other would go on for ever.
            yield from _forward({"group": [_without_unmapped(one) for one in other.get("group", [])]}, system, code)


def _without_unmapped(group: Json) -> Json:
    return {name: value for name, value in group.items() if name != "unmapped"}


def _backward(content: Json, system: str, code: str) -> Iterator[tuple[Json, str]]:
    for group in content.get("group", []):
        if system and group.get("target", system) != system:
            continue
        for one in group.get("element", []):
            for target in one.get("target", []):
                if target.get("code") == code and one.get("code"):
                    equivalence = str(target.get("equivalence", "equivalent"))
                    named = {"system": group.get("source", ""), "code": one["code"], "display": one.get("display", "")}
                    yield named, _TURNED.get(equivalence, equivalence)


def _target(group: Json, target: Json) -> Json:
    return {"system": group.get("target", ""), "code": target.get("code", ""), "display": target.get("display", "")}


def _match(found: Json, equivalence: str, content: Json) -> Json:
    parts: list[Json] = [{"name": "equivalence", "valueCode": equivalence}]
    coding = {name: value for name, value in found.items() if value}
    if "code" in coding:
        parts.append({"name": "concept", "valueCoding": coding})
    if content.get("url"):
        parts.append({"name": "source", "valueUri": content["url"]})
    return {"name": "match", "part": parts}


def _maps(asked: Json, fhir_id: str) -> list[Json]:
    """The map that is named, or every map from and to the value sets that are named; raises FhirRefused (404)."""
    if fhir_id:
        found = stored.fetch(type="ConceptMap", fhir_id=fhir_id)
        if found is not None and not found.deleted:
            return [found.content()]
    elif url := text(asked, "url"):
        version = text(asked, "conceptMapVersion")
        if maps := code_systems.sent("ConceptMap", f"{url}|{version}" if version else url)[:1]:
            return maps
    elif sides := {name: text(asked, name) for name in ("source", "target") if text(asked, name)}:
        return [one for one in code_systems.every("ConceptMap") if _is_between(one, sides)]
    raise FhirRefused(404, "not-found", "没有这个 ConceptMap / there is no such ConceptMap")


def _is_between(content: Json, sides: Json) -> bool:
    return all(
        str(content.get(f"{side}Uri") or content.get(f"{side}Canonical") or "").partition("|")[0] == url
        for side, url in sides.items()
    )
