"""Measured vital signs as FHIR R4 Observations (hl7.org/fhir/R4/observation-vitalsigns.html)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from doorstep.coordination.visits import pregnancy
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.pregnancy import Said
from doorstep.coordination.visits.rules import BLOOD_PRESSURE, SIGNS
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.record.queries import Entry

CATEGORY = "vital-signs"


def to_observations(visit: Visit, values: Mapping[str, Decimal], *, at: datetime) -> list[Published]:
    """One Observation per sign; the two pressures are components of one panel."""
    pressures = [name for name in values if SIGNS[name].panel == BLOOD_PRESSURE]
    found = []
    if pressures:
        panel = _observation(visit, BLOOD_PRESSURE, "Blood pressure panel with all children optional", "血压", at)
        panel["component"] = [
            {
                "code": elements.concept(systems.LOINC, SIGNS[name].code, SIGNS[name].display, SIGNS[name].zh),
                "valueQuantity": elements.quantity(values[name], SIGNS[name].unit, SIGNS[name].ucum),
            }
            for name in pressures
        ]
        found.append(panel)
    for name, value in values.items():
        sign = SIGNS[name]
        if sign.panel:
            continue
        single = _observation(visit, sign.code, sign.display, sign.zh, at)
        single["valueQuantity"] = elements.quantity(value, sign.unit, sign.ucum)
        found.append(single)
    return [
        Published(
            content=content,
            organization_id=visit.organization_id,
            occurred_at=at,
            episode=visit.subject,
            category=CATEGORY,
        )
        for content in found
    ]


def to_pregnancy(visit: Visit, said: Said, *, at: datetime) -> Published:
    """What was said of a pregnancy during a visit, as Observation 82810-3."""
    content = pregnancy.to_observation(
        said,
        id=uuid4(),
        subject=elements.reference("Patient", visit.resident.key, visit.resident.name),
        performer=_performer(visit),
        at=elements.instant(at),
    )
    return Published(
        content={**content, "encounter": elements.reference("Encounter", visit.key)},
        organization_id=visit.organization_id,
        occurred_at=at,
        episode=visit.subject,
        category="social-history",
    )


def to_withdrawn(entry: Entry) -> Published:
    """A written Observation as one that was entered in error: it stays readable and counts for nothing any more."""
    return Published(
        content={**entry.content, "status": "entered-in-error"},
        organization_id=entry.organization_id,
        occurred_at=entry.occurred_at,
        episode=entry.episode,
        category=entry.category,
        sensitive=entry.sensitive,
    )


def _performer(visit: Visit) -> elements.Json:
    person = visit.practitioner
    if person:
        return elements.reference("Practitioner", person.key, person.name)
    return elements.reference("Organization", visit.organization.key, visit.organization.name)


def _observation(visit: Visit, code: str, display: str, text: str, at: datetime) -> elements.Json:
    return elements.compact(
        {
            "resourceType": "Observation",
            "id": str(uuid4()),
            "status": "final",
            "category": [elements.concept(systems.OBSERVATION_CATEGORY, CATEGORY, "Vital Signs")],
            "code": elements.concept(systems.LOINC, code, display, text),
            "subject": elements.reference("Patient", visit.resident.key, visit.resident.name),
            "encounter": elements.reference("Encounter", visit.key),
            "effectiveDateTime": elements.instant(at),
            "performer": [_performer(visit)],
        }
    )
