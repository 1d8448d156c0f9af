"""Operations on resources: $everything, $validate, $document (hl7.org/fhir/R4/operationslist.html)."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from doorstep.kernel.fhir import exact, negotiation, validation
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.moments import span
from doorstep.kernel.fhir.outcome import FhirRefused, answer, outcome
from doorstep.kernel.record import (
    bulk_views,
    latest,
    queries,
    search_views,
    stored,
    terminology_operations,
    translations,
)
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.interactions import actor_of, base_of, gone, known, only_get
from doorstep.kernel.record.references import key_of, references_of
from doorstep.kernel.record.stored import Stored
from doorstep.kernel.record.writing import ABSENT

_MOST, _CUSTOM = 1_000, 200
_EVERYTHING = """
SELECT id, type, fhir_id, content::text FROM record_resource
WHERE resident_id = %(resident)s AND NOT deleted AND type <> 'Patient' AND id > %(after)s {more} ORDER BY id LIMIT %(limit)s
"""
_DAYS = {
    "_since": "AND updated_at >= %(_since)s",
    "start": "AND occurred_at >= %(start)s",
    "end": "AND occurred_at < %(end)s",
}
Operation = Callable[[HttpRequest, str, str], HttpResponse]


@machine
def of_type(request: HttpRequest, type: str, operation: str) -> HttpResponse:
    """/fhir/<type>/$<operation>."""
    known(type)
    return _run(_OF_TYPES, request, type, "", operation)


@machine
def of_instance(request: HttpRequest, type: str, fhir_id: str, operation: str) -> HttpResponse:
    """/fhir/<type>/<id>/$<operation>."""
    known(type)
    return _run(_OF_INSTANCES, request, type, fhir_id, operation)


def _run(
    table: dict[tuple[str, str], Operation], request: HttpRequest, type: str, fhir_id: str, name: str
) -> HttpResponse:
    run = table.get((type, name)) or table.get(("*", name))
    if run is None:
        raise FhirRefused(404, "not-supported", f"没有操作 {type}/${name[:40]} / there is no such operation")
    return run(request, type, fhir_id)


def _existing(request: HttpRequest, type: str, fhir_id: str, action: str) -> Stored:
    """The resource that an operation is about, its reading noted."""
    allow(request, type, "r")
    found = stored.fetch(type=type, fhir_id=fhir_id)
    if found is None:
        raise FhirRefused(404, "not-found", ABSENT)
    if found.deleted:
        raise gone(found)
    queries.note_read(type=type, fhir_id=fhir_id, actor=actor_of(request), resident_id=found.resident_id, action=action)
    return found


def everything(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """Patient/<id>/$everything: all of the resident's record that the client may read, page by page."""
    given = _given(request)
    allow(request, "*", "r")
    patient = _existing(request, "Patient", fhir_id, "fhir.everything")
    clauses, values = _asked(given)
    values["resident"] = patient.resident_id
    size = max(1, min(values["limit"], _MOST))
    values["limit"] = size + 1
    with connection.cursor() as cursor:
        cursor.execute(_EVERYTHING.format(more=" ".join(clauses)), values)
        rows = cursor.fetchall()
    base = base_of(request)
    entries = [_entry(base, row[1], row[2], row[3]) for row in rows[:size]]
    wanted = values.get("types")
    if not values["after"] and (wanted is None or "Patient" in wanted):
        entries.insert(0, _entry(base, "Patient", fhir_id, patient.text))
    links = [{"relation": "self", "url": request.build_absolute_uri()}]
    if len(rows) > size:
        kept = {name: value for name, value in given.items() if name != "_after"}
        query = urlencode({**kept, "_after": rows[size - 1][0]})
        links.append({"relation": "next", "url": f"{request.build_absolute_uri(request.path)}?{query}"})
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if entries:
        found["entry"] = entries
    return answer(found)


def everything_of_encounter(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """Encounter/<id>/$everything: the encounter, whom and what it names, and all that belongs to it, in stable pages."""
    given = _given(request)
    allow(request, "*", "r")
    encounter = _existing(request, type, fhir_id, "fhir.everything")
    unknown = next((name for name in given if name not in ("_count", "_type", "_since", "_format", "_pretty")), None)
    if unknown is not None:
        raise FhirRefused(400, "invalid", f"$everything 不支持参数 {unknown[:40]} / knows no such parameter")
    asked: list[tuple[str, str]] = [(name, given[name]) for name in ("_count", "_type") if name in given]
    asked += [("_lastUpdated", f"ge{given['_since']}")] if "_since" in given else []
    base = base_of(request)
    named = {key for node, _ in references_of(encounter.content(), "") if (key := key_of(str(node["reference"]), base))}
    wanted = given["_type"].split(",") if "_type" in given else None
    first = [(type, fhir_id, encounter.text)]
    for kind, other in sorted(named - {(type, fhir_id)}):
        found = stored.fetch(type=kind, fhir_id=other)
        if found is not None and not found.deleted:
            first.append((kind, other, found.text))
    told = search_views.within_encounter(request, fhir_id, asked)
    known = {f"{base}{kind}/{key}" for kind, key, _ in first}
    entries = [_entry(base, *one) for one in first if wanted is None or one[0] in wanted]
    entries += [one for one in told.get("entry", []) if one.get("fullUrl") not in known]
    told.pop("total", None)
    return answer({**told, **({"entry": entries} if entries else {})})


def _given(request: HttpRequest) -> dict[str, str]:
    """The parameters of an operation that changes nothing: in the address, or in the Parameters of a POST; raises FhirRefused (400).

    Every operation can be called by POST (hl7.org/fhir/R4/operations.html#executing).
    """
    given = {name: request.GET[name] for name in request.GET}
    if request.method != "POST":
        only_get(request)
        return given
    body = negotiation.body_of(request) if request.body else {"resourceType": "Parameters"}
    parts = body.get("parameter", []) if isinstance(body, dict) and body.get("resourceType") == "Parameters" else None
    for part in parts if isinstance(parts, list) else [None]:
        values = [value for key, value in part.items() if key.startswith("value")] if isinstance(part, dict) else []
        if not isinstance(part, dict) or len(values) != 1 or isinstance(values[0], dict | list):
            raise FhirRefused(
                400, "structure", "请发送 Parameters，每项一个名称和一个值 / send Parameters", "Parameters"
            )
        value, name = values[0], str(part.get("name"))
        text = str(value).lower() if isinstance(value, bool) else str(value)
        given[name] = f"{given[name]},{text}" if name in given and name == "_type" else text
    return given


def _asked(given: dict[str, str]) -> tuple[list[str], dict[str, Any]]:
    """The conditions of an $everything with their values; `start` and `end` are days of care, `_since` is the day of the record."""
    values: dict[str, Any] = {"after": 0, "limit": _CUSTOM}
    clauses = []
    for name, value in given.items():
        if name in ("_count", "_after") and value.isdecimal() and len(value) < 18:
            values["limit" if name == "_count" else "after"] = int(value)
        elif name == "_type":
            values["types"] = [one.strip() for one in value.split(",")]
            unknown = next((one for one in values["types"] if one not in resource_types()), None)
            if unknown is not None:
                raise FhirRefused(400, "value", f"没有资源类型 {unknown[:40]} / no such type")
            clauses.append("AND type = ANY(%(types)s)")
        elif name in _DAYS:
            values[name] = span(name, value)[1 if name == "end" else 0]
            clauses.append(_DAYS[name])
        elif name not in ("_format", "_pretty"):
            raise FhirRefused(400, "invalid", f"$everything 不支持参数 {name} / knows no parameter {name}={value[:40]}")
    return clauses, values


def _entry(base: str, kind: str, key: str, text: str) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}{kind}/{key}",
        "resource": orjson.Fragment(text),
        "search": {"mode": "match"},
    }


def validate(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """<type>/$validate: every problem of what is sent, or of what is stored; nothing is kept."""
    asked = {name: request.GET[name] for name in request.GET}
    if request.method in ("GET", "HEAD") or (fhir_id and not request.body):
        if not fhir_id:
            raise FhirRefused(
                405,
                "not-supported",
                "请以 POST 发送要校验的资源 / POST the resource to be validated",
                headers={"Allow": "POST"},
            )
        resource: Any = _existing(request, type, fhir_id, "fhir.read").content()
    else:
        resource = negotiation.body_of(request)
        if isinstance(resource, dict) and resource.get("resourceType") == "Parameters" and type != "Parameters":
            parts = resource.get("parameter")
            parts = [one for one in (parts if isinstance(parts, list) else []) if isinstance(one, dict)]
            named = {one["name"]: one for one in parts if isinstance(one.get("name"), str)}
            resource = named.get("resource", {}).get("resource")
            asked |= {
                name: str(value)
                for name in ("mode", "profile")
                for key, value in named.get(name, {}).items()
                if key.startswith("value")
            }
    notes = _of_validation(asked)
    if not isinstance(resource, dict) or resource.get("resourceType") != type:
        raise FhirRefused(400, "invalid", f"请发送一个 {type} / send a {type}", f"{type}.resourceType")
    found = validation.problems(resource)
    issues = [outcome(one.code, one.sentence, expression=one.path)["issue"][0] for one in found]
    if not found:
        issues = outcome("informational", "符合 R4 / valid against R4", severity="information")["issue"]
    return answer({"resourceType": "OperationOutcome", "issue": [*issues, *notes]})


def _of_validation(asked: dict[str, str]) -> list[dict[str, Any]]:
    """What a validation does not look at, said beside its findings; raises FhirRefused (400) for what it does not know.

    The same is valid for a create, an update and a delete; what a profile demands beyond R4 is not looked at.
    """
    for name, value in asked.items():
        if name == "mode" and value not in ("create", "update", "delete", "profile"):
            raise FhirRefused(400, "value", f"mode 应为 create、update、delete 或 profile / is no mode: {value[:40]}")
        if name not in ("mode", "profile", "_format", "_pretty"):
            raise FhirRefused(400, "invalid", f"$validate 不支持参数 {name[:40]} / knows no such parameter")
    profile = asked.get("profile", "")
    if not profile or profile.removeprefix("http://hl7.org/fhir/StructureDefinition/") in resource_types():
        return []
    sentence = f"只按 R4 校验，没有按 {profile[:120]} 校验 / checked against R4 only, not against this profile"
    return outcome("not-supported", sentence, severity="warning")["issue"]  # type: ignore[no-any-return]


def document(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """Composition/<id>/$document: the Composition and everything that it refers to, as far as the client may read it."""
    for name, value in _given(request).items():
        if name not in ("persist", "graph", "_format", "_pretty"):
            raise FhirRefused(400, "invalid", f"$document 不支持参数 {name[:40]} / knows no such parameter")
        if name == "graph" or (name == "persist" and value != "false"):
            raise FhirRefused(422, "not-supported", f"$document 不支持 {name} / {name} is not supported")
    allow(request, "*", "r")
    composition = _existing(request, "Composition", fhir_id, "fhir.document")
    base = base_of(request)
    texts = {("Composition", fhir_id): composition.text}
    waiting = [composition.text]
    while waiting:
        keys = {
            key
            for text in waiting
            for node, _ in references_of(exact.loads(text), "")
            if (key := key_of(str(node["reference"]), base)) is not None and key not in texts
        }
        waiting = []
        for key in sorted(keys)[: _MOST - len(texts)]:
            found = stored.fetch(type=key[0], fhir_id=key[1])
            if found is not None and not found.deleted:
                texts[key] = found.text
                # One step beyond what the Composition names itself: the authors of its entries, not their whole world.
                if len(texts) <= len(keys) + 1:
                    waiting.append(found.text)
    body = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid.uuid4()}"},
        "timestamp": stamp(timezone.now()),
        "entry": [
            {"fullUrl": f"{base}{kind}/{key}", "resource": orjson.Fragment(text)} for (kind, key), text in texts.items()
        ],
    }
    return answer(body)


_OF_TYPES: dict[tuple[str, str], Operation] = {
    ("*", "validate"): validate,
    ("Patient", "export"): bulk_views.of_patients,
    ("Observation", "lastn"): latest.lastn,
    ("CodeSystem", "lookup"): terminology_operations.lookup,
    ("CodeSystem", "validate-code"): terminology_operations.validate_code,
    ("CodeSystem", "subsumes"): terminology_operations.subsumes,
    ("ValueSet", "validate-code"): terminology_operations.validate_code,
    ("ValueSet", "expand"): terminology_operations.expand,
    ("ConceptMap", "translate"): translations.translate,
}
_OF_INSTANCES: dict[tuple[str, str], Operation] = {
    ("*", "validate"): validate,
    ("Patient", "everything"): everything,
    ("Encounter", "everything"): everything_of_encounter,
    ("Group", "export"): bulk_views.of_group,
    ("Composition", "document"): document,
    ("CodeSystem", "validate-code"): terminology_operations.validate_code,
    ("CodeSystem", "subsumes"): terminology_operations.subsumes,
    ("ValueSet", "validate-code"): terminology_operations.validate_code,
    ("ValueSet", "expand"): terminology_operations.expand,
    ("ConceptMap", "translate"): translations.translate,
}
