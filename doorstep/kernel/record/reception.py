"""Resources that hospital systems send: checked against R4, tied to their resident, stored once however often they come."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fhirkit
from django.db import transaction

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published

# What a hospital may write as it is. Things with a state (referrals, bookings, contracts) are written through their actions.
RECEIVED = (
    "Observation",
    "Condition",
    "Encounter",
    "DiagnosticReport",
    "Procedure",
    "MedicationStatement",
    "MedicationRequest",
    "AllergyIntolerance",
    "Immunization",
    "DocumentReference",
)
_TIMES = (
    "effectiveDateTime",
    "issued",
    "recordedDate",
    "onsetDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "authoredOn",
    "date",
)
MAX_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Patient:
    """The resident behind a reference, as the sender may see them."""

    resident_id: int
    fhir_id: str


# (reference or "system|value" of an identifier) -> the patient, None when not there or not the sender's
PatientFinder = Callable[[str], Patient | None]
_finder: list[PatientFinder] = []


def install(finder: PatientFinder) -> None:
    """Wire the resident index; the last one counts."""
    _finder[:] = [finder]


@transaction.atomic
def receive(bundle: dict[str, Any], *, actor: Actor) -> list[tuple[str, str, int]]:
    """Store every entry of a transaction Bundle or none; returns (type, id, version) per entry in order.

    Raises FhirRefused with the place of the first entry that is wrong.
    """
    actor.check(Permission.FHIR_WRITE)
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
        raise FhirRefused(
            422, "invalid", "请发送 type 为 transaction 的 Bundle / send a Bundle of type transaction", "Bundle.type"
        )
    if not isinstance(entries, list) or not entries or len(entries) > MAX_ENTRIES:
        raise FhirRefused(
            422, "invalid", f"Bundle 应有 1 到 {MAX_ENTRIES} 条 / 1 to {MAX_ENTRIES} entries", "Bundle.entry"
        )
    resources = [_checked(entry, position) for position, entry in enumerate(entries)]
    given = {}
    for entry, resource in zip(entries, resources, strict=True):
        existing = _known(resource, actor)
        resource["id"] = existing.fhir_id if existing else str(uuid.uuid4())
        if isinstance(entry.get("fullUrl"), str):
            given[entry["fullUrl"]] = f"{resource['resourceType']}/{resource['id']}"
    return [_store(_with_references(resource, given), position, actor) for position, resource in enumerate(resources)]


def _checked(entry: Any, position: int) -> dict[str, Any]:
    place = f"Bundle.entry[{position}]"
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise FhirRefused(422, "required", "缺少 resource / resource is missing", f"{place}.resource")
    method = entry.get("request", {}).get("method") if isinstance(entry.get("request"), dict) else None
    if method != "POST":
        raise FhirRefused(422, "not-supported", "request.method 应为 POST / must be POST", f"{place}.request.method")
    kind = resource["resourceType"]
    if kind not in RECEIVED:
        raise FhirRefused(
            422,
            "not-supported",
            f"不接收 {kind}；接收：{', '.join(RECEIVED)} / {kind} is not received",
            f"{place}.resource",
        )
    problem = problems(resource)
    if problem:
        raise FhirRefused(422, "structure", problem[0][1], f"{place}.resource.{problem[0][0]}".rstrip("."))
    return dict(resource)


def problems(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """Where a resource breaks R4: (place, sentence); empty when it does not."""
    kind = resource["resourceType"]
    return [
        (str(issue.path).removeprefix(f"{kind}.").removeprefix(kind), f"{issue.path}: {issue.message}")
        for issue in fhirkit.validate(resource)
        if issue.severity == "error"
    ]


def _known(resource: dict[str, Any], actor: Actor) -> Resource | None:
    """The resource that this hospital has sent before under one of the same identifiers."""
    identifiers = resource.get("identifier", [])
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and identifier.get("system") and identifier.get("value"):
            found = Resource.objects.filter(
                type=resource["resourceType"],
                organization_id=actor.organization_id,
                tokens__contains=[f"identifier|{identifier['system']}|{identifier['value']}"],
            ).first()
            if found:
                return found
    return None


def _with_references(node: Any, given: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            name: given.get(value, value)
            if name == "reference" and isinstance(value, str)
            else _with_references(value, given)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [_with_references(part, given) for part in node]
    return node


def _store(resource: dict[str, Any], position: int, actor: Actor) -> tuple[str, str, int]:
    place = f"Bundle.entry[{position}].resource"
    name = "patient" if "patient" in resource else "subject"
    patient = _patient(resource.get(name), f"{place}.{name}")
    resource[name] = {**resource[name], "reference": f"Patient/{patient.fhir_id}"}
    stored = Resource.objects.filter(type=resource["resourceType"], fhir_id=resource["id"]).first()
    if stored is not None and {**stored.content, "meta": None} == {**resource, "meta": None}:
        return resource["resourceType"], resource["id"], stored.version
    version = record.publish(
        Published(content=resource, organization_id=actor.organization_id, occurred_at=_occurred(resource, place)),
        resident_id=patient.resident_id,
        actor=actor,
    )
    audit.record(
        action="fhir.create" if version == 1 else "fhir.update",
        actor=actor,
        subject=f"{resource['resourceType']}/{resource['id']}",
        resident_id=patient.resident_id,
    )
    return resource["resourceType"], resource["id"], version


def _patient(subject: Any, place: str) -> Patient:
    found = None
    if isinstance(subject, dict) and _finder:
        reference = str(subject.get("reference", "")).partition("?identifier=")
        identifier = subject.get("identifier")
        if reference[1]:
            found = _finder[0](reference[2])
        elif reference[0]:
            found = _finder[0](reference[0])
        elif isinstance(identifier, dict):
            found = _finder[0](f"{identifier.get('system', '')}|{identifier.get('value', '')}")
    if found is None:
        raise FhirRefused(
            422,
            "not-found",
            "没有这位居民，或贵院与其没有诊疗关系；请先在系统内挂号、接诊或接收转诊"
            " / no such resident, or no care relationship with your hospital",
            place,
        )
    return found


def _occurred(resource: dict[str, Any], place: str) -> datetime:
    text = next((resource[name] for name in _TIMES if isinstance(resource.get(name), str)), None)
    span = resource.get("period") or resource.get("effectivePeriod")
    if text is None and isinstance(span, dict):
        text = span.get("start")
    if text is None:
        return datetime.now(tz=UTC)
    try:
        moment = datetime.fromisoformat(
            text if len(text) > 7 else (f"{text}-01-01" if len(text) == 4 else f"{text}-01")
        )
    except ValueError as error:
        raise FhirRefused(422, "value", f"时间 {text} 无法识别 / not a time: {text}", place) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
