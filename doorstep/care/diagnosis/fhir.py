"""ECG orders, reports, measurements and critical values as FHIR R4.

hl7.org/fhir/R4: servicerequest, diagnosticreport, observation, documentreference, communication.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from doorstep.care.diagnosis import queries, states
from doorstep.care.diagnosis.ecg.templates import BY_CODE
from doorstep.care.diagnosis.ecg.timing import examined_at
from doorstep.care.diagnosis.models import CATEGORY, CriticalValue, EcgOrder
from doorstep.care.diagnosis.report import BY_NAME, CRITICAL_BY_CODE, Measure
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

_REPORT_CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_COMPLETION = "http://terminology.hl7.org/CodeSystem/v3-DocumentCompletion"
_COMMUNICATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"

# What is asked for, as a coded concept.
ORDERED = elements.concept(systems.LOINC, "34534-8", "12 lead EKG panel", "十二导联心电图")


def order_resources(order: EcgOrder) -> list[Published]:
    """The request, once sent the recording, and once signed the report with its measurements."""
    contents = [_request(order)]
    file = queries.recording_facts(order)
    if file is not None:
        contents.append(_document(order, file))
    if order.signed_at is not None:
        measured = [_observation(order, BY_NAME[name], value) for name, value in order.measurements.items()]
        contents += [*measured, _report(order, measured), _provenance(order, file)]
    return [_published(order, content) for content in contents]


def critical_resources(critical: CriticalValue) -> list[Published]:
    """The telling of a critical value, with who received it and what was done."""
    order = critical.order
    payload = [critical.text_zh, critical.conclusion_text]
    if critical.action:
        payload.append(f"{CriticalValue.Action(critical.action).label} {critical.action_note}".strip())
    content = elements.compact(
        {
            "resourceType": "Communication",
            "id": str(critical.key),
            "status": critical.machine.state(critical.state).fhir,
            "category": [elements.concept(_COMMUNICATION_CATEGORY, "alert", "Alert", "危急值报告")],
            "priority": "stat",
            "subject": elements.reference("Patient", critical.resident.key, critical.resident.name),
            "topic": elements.concept(systems.CRITICAL_ECG, critical.code, critical.text_en, critical.text_zh),
            "about": [elements.reference("DiagnosticReport", order.key)],
            "sent": elements.instant(critical.created_at),
            "received": elements.instant(critical.acknowledged_at) if critical.acknowledged_at else None,
            "sender": elements.reference("Organization", critical.center.key, critical.center.name),
            "recipient": [
                elements.reference("Organization", unit.key, unit.name)
                for unit in _once(critical.source, critical.holder)
            ],
            "payload": [{"contentString": text} for text in payload if text],
        }
    )
    return [
        Published(
            content=content,
            organization_id=critical.center_id,
            occurred_at=critical.created_at,
            episode=critical.episode,
            category=CATEGORY,
        )
    ]


def _request(order: EcgOrder) -> elements.Json:
    person = order.ordered_by
    return elements.compact(
        {
            "resourceType": "ServiceRequest",
            "id": str(order.key),
            "status": order.machine.state(order.state).fhir,
            "intent": "order",
            "category": [elements.text_concept("心电检查")],
            "priority": "urgent" if order.urgent else "routine",
            "code": ORDERED,
            "subject": elements.reference("Patient", order.resident.key, order.resident.name),
            "encounter": elements.reference("Encounter", order.visit_key) if order.visit_key else None,
            "authoredOn": elements.instant(order.created_at),
            "requester": elements.reference("Practitioner", person.key, person.name)
            if person
            else elements.reference("Organization", order.source.key, order.source.name),
            "performer": [elements.reference("Organization", order.center.key, order.center.name)],
            "reasonCode": [elements.text_concept(order.indication)] if order.indication else [],
        }
    )


def _document(order: EcgOrder, file: dict[str, Any]) -> elements.Json:
    kept = order.state not in (states.RETURNED, states.CANCELLED)
    return elements.compact(
        {
            "resourceType": "DocumentReference",
            "id": str(file["key"]),
            "status": "current" if kept else "superseded",
            "type": elements.concept(systems.LOINC, "11524-6", "EKG study", "心电图记录"),
            "subject": elements.reference("Patient", order.resident.key, order.resident.name),
            "date": elements.instant(order.arrived_at) if order.arrived_at else None,
            "author": [elements.reference("Device", order.device_key, "心电图机")] if order.device_key else [],
            "custodian": elements.reference("Organization", order.source.key, order.source.name),
            "content": [
                {
                    "attachment": elements.compact(
                        {
                            "contentType": file["media_type"],
                            "url": elements.file_address(file["key"]),
                            "size": file["size"],
                            "title": file["name"],
                            "creation": elements.instant(order.taken_at) if order.taken_at else None,
                        }
                    )
                }
            ],
            "context": {"related": [elements.reference("ServiceRequest", order.key)]},
        }
    )


def _observation(order: EcgOrder, measure: Measure, value: int) -> elements.Json:
    return elements.compact(
        {
            "resourceType": "Observation",
            "id": str(_part(order.key, measure.name)),
            "basedOn": [elements.reference("ServiceRequest", order.key)],
            "status": "final" if order.version == 1 else "amended",
            "category": [elements.concept(systems.OBSERVATION_CATEGORY, "procedure", "Procedure")],
            "code": elements.concept(systems.LOINC, measure.loinc, measure.display, measure.zh),
            "subject": elements.reference("Patient", order.resident.key, order.resident.name),
            "effectiveDateTime": elements.instant(_examined(order)),
            "issued": elements.instant(order.signed_at) if order.signed_at else None,
            "performer": [elements.reference("Organization", order.center.key, order.center.name)],
            "valueQuantity": elements.quantity(value, measure.unit, measure.ucum),
        }
    )


def _report(order: EcgOrder, measured: list[elements.Json]) -> elements.Json:
    signer = order.signed_by
    critical = CRITICAL_BY_CODE.get(order.critical_code)
    codes = [
        elements.concept(systems.ECG_FINDING, code, BY_CODE[code].en, BY_CODE[code].zh)
        for code in order.findings
        if code in BY_CODE
    ]
    if critical is not None:
        codes.append(elements.concept(systems.CRITICAL_ECG, critical.code, critical.en, critical.zh))
    return elements.compact(
        {
            "resourceType": "DiagnosticReport",
            "id": str(order.key),
            "extension": [
                elements.extension(systems.PLAIN_WORDS, valueString=order.plain_zh),
                elements.extension(systems.CRITICAL_RESULT, valueBoolean=critical is not None),
            ],
            "basedOn": [elements.reference("ServiceRequest", order.key)],
            "status": "final" if order.version == 1 else "amended",
            "category": [elements.concept(_REPORT_CATEGORY, "EC", "Electrocardiac (e.g., EKG, EEC, Holter)", "心电")],
            "code": elements.concept(systems.LOINC, "11524-6", "EKG study", "心电图报告"),
            "subject": elements.reference("Patient", order.resident.key, order.resident.name),
            "encounter": elements.reference("Encounter", order.visit_key) if order.visit_key else None,
            "effectiveDateTime": elements.instant(_examined(order)),
            "issued": elements.instant(order.signed_at) if order.signed_at else None,
            "performer": [elements.reference("Organization", order.center.key, order.center.name)],
            "resultsInterpreter": [elements.reference("Practitioner", signer.key, signer.name)] if signer else [],
            "result": [elements.reference("Observation", one["id"]) for one in measured],
            "conclusion": order.conclusion_text,
            "conclusionCode": codes,
            "presentedForm": [
                {
                    "contentType": "application/pdf",
                    "url": elements.file_address(order.key),
                    "title": "心电图报告",
                }
            ],
        }
    )


def _provenance(order: EcgOrder, file: dict[str, Any] | None) -> elements.Json:
    """Who signed this version of the report, for which unit, and from which recording."""
    signer = order.signed_by
    centre = elements.reference("Organization", order.center.key, order.center.name)
    source = elements.reference("Organization", order.source.key, order.source.name)
    agent = {
        "type": elements.concept(_PARTICIPANT, "legal", "Legal Authenticator"),
        "who": elements.reference("Practitioner", signer.key, signer.name) if signer else centre,
        "onBehalfOf": centre if signer else None,
    }
    recorder = {"type": elements.concept(_PARTICIPANT, "performer", "Performer"), "who": source}
    recording = (
        [
            {
                "role": "source",
                "what": elements.reference("DocumentReference", file["key"], "心电图记录"),
                "agent": [recorder],
            }
        ]
        if file
        else []
    )
    return elements.compact(
        {
            "resourceType": "Provenance",
            # One for each version that was signed: an amended report keeps who signed the one before.
            "id": str(_part(order.key, f"provenance/{order.version}")),
            "target": [elements.reference("DiagnosticReport", order.key)],
            "occurredDateTime": elements.instant(order.signed_at) if order.signed_at else None,
            "recorded": elements.instant(order.signed_at or order.created_at),
            "activity": elements.concept(_COMPLETION, "LA", "legally authenticated"),
            "agent": [elements.compact(agent)],
            "entity": recording,
        }
    )


def _published(order: EcgOrder, content: elements.Json) -> Published:
    requested = content["resourceType"] in ("ServiceRequest", "DocumentReference")
    return Published(
        content=content,
        organization_id=order.source_id if requested else order.center_id,
        occurred_at=_moment(order, content["resourceType"]),
        episode=order.episode,
        category=CATEGORY,
    )


def _moment(order: EcgOrder, kind: str) -> datetime:
    """Where it stands in the record: an ECG of last year that is brought in today is no news of today's heart."""
    if kind == "ServiceRequest":
        return order.created_at
    return (order.signed_at or order.created_at) if kind == "Provenance" else _examined(order)


def _examined(order: EcgOrder) -> datetime:
    return examined_at(order.taken_at, arrived_at=order.arrived_at) or order.created_at


def _part(key: UUID, name: str) -> UUID:
    """The stable id of a part of an order's report: an amended value is a new version of the same Observation."""
    return uuid5(key, name)


def _once(*units: Any) -> list[Any]:
    return list({unit.pk: unit for unit in units if unit is not None}.values())
