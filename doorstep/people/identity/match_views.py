"""Patient/$match: who may be meant (hl7.org/fhir/R4/patient-operation-match.html), within what the sender may see.

The same judgement as at the registration desk: residents in sight with their likeness; of others one hint, counted in the
database like the page's questions, and nothing of them.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import negotiation, systems, validation
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, outcome
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import stored
from doorstep.people.identity.doubles import SHOWN, Double, Elsewhere, Found, likely
from doorstep.people.identity.matching import Facts
from doorstep.people.residents.patient_reading import Given, read_patient

_MOST = 50
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_HINTS = {
    Elsewhere.LIKELY: (
        "registered-elsewhere",
        "此人很可能已在县域内建档，但不在贵院可查看范围；请在居民到场时核验后接诊，不要重复建档"
        " / probably registered already, out of your sight: prove presence to continue",
    ),
    Elsewhere.CLOSED: (
        "asked-too-much",
        "查询过多，暂不回答范围外的居民 / asked too much: nothing is said of residents out of your sight for a while",
    ),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    given: Given
    only_certain: bool
    count: int


@machine
def match(request: HttpRequest) -> HttpResponse:
    """POST /fhir/Patient/$match with Parameters: resource, onlyCertainMatches, count."""
    if request.method != "POST":
        raise FhirRefused(
            405, "not-supported", "请以 POST 发送 Parameters / POST Parameters", headers={"Allow": "POST"}
        )
    allow(request, "Patient", "s")
    actor: Actor = request.actor  # type: ignore[attr-defined]
    asked = _asked(negotiation.body_of(request))
    given = asked.given
    facts = Facts(
        name="".join(given.name.split()),
        birth_date=given.birth_date,
        gender=given.gender,
        number=given.number,
        phone=given.phone,
        address=given.address,
    )
    found = likely(facts=facts, actor=actor, mother_number=given.mother_number, limit=asked.count)
    return answer(_bundle(_kept(found, asked), found.elsewhere, request.build_absolute_uri("/fhir/"), actor))


def _kept(found: Found, asked: _Asked) -> list[tuple[Double, str]]:
    """Those to be shown, each with its grade; who asks for certainty gets one person or nobody."""
    graded = [(one, _grade(one)) for one in found.doubles]
    if not asked.only_certain:
        return graded
    certain = [pair for pair in graded if pair[1] == "certain"]
    return certain if len(certain) == 1 else []


def _grade(one: Double) -> str:
    """certain: the same number of a document and nothing against it; probable: enough to link without a person's word."""
    if one.verdict.automatic:
        return "certain" if one.verdict.levels.get("number") == "same" and not one.against else "probable"
    return "possible"


def _bundle(kept: list[tuple[Double, str]], elsewhere: Elsewhere, base: str, actor: Actor) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    for one, grade in kept:
        key = str(one.resident.key)
        patient = stored.fetch(type="Patient", fhir_id=key)
        if patient is None or patient.deleted:
            continue
        record.note_read(type="Patient", fhir_id=key, actor=actor, resident_id=one.resident.pk, action="fhir.match")
        search = {
            "mode": "match",
            "score": round(one.verdict.probability, 4),
            "extension": [{"url": _GRADE, "valueCode": grade}],
        }
        entries.append({"fullUrl": f"{base}Patient/{key}", "resource": orjson.Fragment(patient.text), "search": search})
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    if elsewhere is not Elsewhere.NONE:
        code, sentence = _HINTS[elsewhere]
        said = outcome("throttled" if elsewhere is Elsewhere.CLOSED else "informational", sentence, severity="warning")
        said["issue"][0]["details"] = {"coding": [{"system": systems.MATCH_HINT, "code": code}]}
        entries.append({"resource": said, "search": {"mode": "outcome"}})
    if entries:
        found["entry"] = entries
    return found


def _asked(body: Any) -> _Asked:
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise FhirRefused(400, "invalid", "请发送 Parameters / send Parameters", "Parameters")
    given, only_certain, count = None, False, SHOWN
    parts = body.get("parameter")
    for position, one in enumerate(parts if isinstance(parts, list) else []):
        place = f"Parameters.parameter[{position}]"
        match one if isinstance(one, dict) else {}:
            case {"name": "resource", "resource": {"resourceType": "Patient"} as patient}:
                given = _checked(patient, f"{place}.resource")
            case {"name": "onlyCertainMatches", "valueBoolean": bool(value)}:
                only_certain = value
            case {"name": "count", "valueInteger": int(value)} if value > 0:
                count = min(value, _MOST)
            case _:
                raise FhirRefused(
                    400,
                    "invalid",
                    "参数应为 resource（Patient）、onlyCertainMatches（valueBoolean）或 count（大于 0 的 valueInteger）"
                    " / resource, onlyCertainMatches or count",
                    place,
                )
    if given is None:
        raise FhirRefused(
            400, "required", "缺少参数 resource / the parameter resource is missing", "Parameters.parameter"
        )
    return _Asked(given, only_certain, count)


def _checked(patient: dict[str, Any], place: str) -> Given:
    problems = validation.problems(patient, path=place)
    if problems:
        first, *others = problems
        raise FhirRefused(
            422,
            first.code,
            f"{first.path}: {first.sentence}",
            first.path,
            more=[(one.code, f"{one.path}: {one.sentence}", one.path) for one in others],
        )
    return read_patient(patient)
